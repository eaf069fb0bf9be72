package console

import (
	"cmp"
	"time"

	"selvedge/internal/fabric"
)

// destinationState is a destination as ShowIngestion and GetIngestionDestination
// have it; the backlog is of the first alone.
type destinationState struct {
	ARN        string `json:"arn"`
	Processing struct {
		AuditLog struct {
			Schema string `json:"schema"`
			Format string `json:"format"`
		} `json:"auditLog"`
	} `json:"processingConfiguration"`
	Place struct {
		AuditLog struct {
			Destination struct {
				S3Bucket struct {
					Bucket string `json:"bucketName"`
					Prefix string `json:"prefix"`
				} `json:"s3Bucket"`
				FirehoseStream struct {
					Stream string `json:"streamName"`
				} `json:"firehoseStream"`
			} `json:"destination"`
		} `json:"auditLog"`
	} `json:"destinationConfiguration"`
	Status  string `json:"status"`
	Reason  string `json:"statusReason"`
	Backlog struct {
		Batches int64      `json:"batches"`
		Records int64      `json:"records"`
		Oldest  *time.Time `json:"oldest"`
	} `json:"backlog"`
	DeliveryDue *time.Time `json:"deliveryDue"`
	LastError   string     `json:"lastError"`
	Undelivered int64      `json:"undeliveredRecords"`
}

// kinds are what can be delivered, under the names of the form's choices.
func kinds() []kind {
	return []kind{
		{"ocsf-json", "ocsf", "json", "OCSF events, JSON lines"},
		{"ocsf-parquet", "ocsf", "parquet", "OCSF events, Parquet files (S3 only)"},
		{"raw-json", "raw", "json", "The records as the application shows them, JSON lines"},
	}
}

type kind struct{ Name, Schema, Format, Text string }

// destinationView is a destination in words.
type destinationView struct {
	destinationState
	Path  string
	Where string
	What  string
	Light light
}

func destinationOf(d destinationState) destinationView {
	to := d.Place.AuditLog.Destination
	view := destinationView{destinationState: d, Path: pathOf(d.ARN), Light: light{"good", "Active"}}
	switch {
	case to.FirehoseStream.Stream != "":
		view.Where = "Firehose stream " + to.FirehoseStream.Stream
	case to.S3Bucket.Prefix != "":
		view.Where = "S3 bucket " + to.S3Bucket.Bucket + "/" + to.S3Bucket.Prefix
	default:
		view.Where = "S3 bucket " + to.S3Bucket.Bucket
	}
	view.What = map[string]string{
		"ocsf json": "OCSF, JSON lines", "ocsf parquet": "OCSF, Parquet", "raw json": "Raw, JSON lines",
	}[d.Processing.AuditLog.Schema+" "+d.Processing.AuditLog.Format]
	if d.Status == string(fabric.Failed) {
		view.Light = light{"bad", "Failed"}
	}
	return view
}

// destinationForm says where a destination delivers to.
type destinationForm struct {
	refusal
	Token    string // makes of a form that is sent twice one destination
	Kinds    []kind
	Kind     string // what was chosen
	KindFail string
	Firehose bool
	Bucket   field
	Prefix   field
	Stream   field
}

func (v *visit) destinationForm() destinationForm {
	return destinationForm{
		Token: v.token(), Kinds: kinds(), Kind: kinds()[0].Name,
		Bucket: field{Name: "bucket", Label: "Bucket name", Type: "text", Hint: "Where buckets are folders (the server's buckets-url), the folder is made."},
		Prefix: field{Name: "prefix", Label: "Prefix", Type: "text", Hint: "Optional: what the names of all objects begin with."},
		Stream: field{Name: "stream", Label: "Stream name", Type: "text", Hint: "Of the delivery stream, not its ARN."},
	}
}

// sent fills in what a person chose.
func (f *destinationForm) sent(v *visit) {
	f.Kind = v.r.PostFormValue("kind")
	f.Firehose = v.r.PostFormValue("to") == "firehose"
	for _, one := range []*field{&f.Bucket, &f.Prefix, &f.Stream} {
		one.Value = v.r.PostFormValue(one.Name)
	}
}

// place is the chosen place as the API has it.
func (f *destinationForm) place() map[string]any {
	var to map[string]any
	if f.Firehose {
		to = map[string]any{"firehoseStream": map[string]any{"streamName": f.Stream.Value}}
	} else {
		bucket := map[string]any{"bucketName": f.Bucket.Value}
		if f.Prefix.Value != "" {
			bucket["prefix"] = f.Prefix.Value
		}
		to = map[string]any{"s3Bucket": bucket}
	}
	return map[string]any{"auditLog": map[string]any{"destination": to}}
}

// refuse puts what the API says of the form beside its fields.
func (f *destinationForm) refuse(err error) error {
	const to = "destinationConfiguration.auditLog.destination."
	f.refusal, err = refused(err, map[string]string{
		to + "s3Bucket.bucketName": "bucket", to + "s3Bucket.prefix": "prefix", to + "firehoseStream.streamName": "stream",
		"processingConfiguration.auditLog.schema": "kind", "processingConfiguration.auditLog.format": "kind",
	})
	f.into(&f.Bucket, &f.Prefix, &f.Stream)
	f.KindFail = f.Faults["kind"]
	return err
}

// destinationPage is a destination, or the form of a new one.
type destinationPage struct {
	Form    destinationForm
	Show    *destinationView // nil: a new one
	Path    string
	Updated time.Time
}

func newDestination(v *visit) (page, error) {
	s, err := v.showIngestion()
	if err != nil {
		return page{}, err
	}
	form := v.destinationForm()
	if v.sent() {
		form.sent(v)
		in := v.ingestionMembers()
		for _, k := range form.Kinds {
			if k.Name == form.Kind {
				in["processingConfiguration"] = map[string]any{"auditLog": map[string]any{"schema": k.Schema, "format": k.Format}}
			}
		}
		in["destinationConfiguration"], in["clientToken"] = form.place(), form.Token
		err := v.do("CreateIngestionDestination", in, nil)
		if err == nil {
			return redirect(pathOf(s.ARN) + "?done=destination-made#destinations")
		}
		if err := form.refuse(err); err != nil {
			return page{}, err
		}
	}
	return page{
		name: "destination", status: form.status(), Title: "Add a destination", Trail: v.back(s),
		Data: destinationPage{Form: form, Path: pathOf(s.ARN) + "/destinations/new"},
	}, nil
}

// destinationMembers name the destination of the path.
func (v *visit) destinationMembers() members {
	in := v.ingestionMembers()
	in["ingestionDestinationIdentifier"] = v.at("destination")
	return in
}

func destination(v *visit) (page, error) {
	var answer struct {
		Destination struct {
			destinationState
			UpdatedAt time.Time `json:"updatedAt"`
		} `json:"ingestionDestination"`
	}
	if err := v.do("GetIngestionDestination", v.destinationMembers(), &answer); err != nil {
		return page{}, err
	}
	s, err := v.showIngestion()
	if err != nil {
		return page{}, err
	}
	d := answer.Destination.destinationState
	for _, one := range s.Destinations {
		if one.ARN == d.ARN {
			d = one // with its backlog
		}
	}
	form, to := v.destinationForm(), d.Place.AuditLog.Destination
	form.Firehose = to.FirehoseStream.Stream != ""
	form.Bucket.Value, form.Prefix.Value, form.Stream.Value = to.S3Bucket.Bucket, to.S3Bucket.Prefix, to.FirehoseStream.Stream
	if v.sent() {
		form.sent(v)
		in := v.destinationMembers()
		in["destinationConfiguration"] = form.place()
		err := v.do("UpdateIngestionDestination", in, nil)
		if err == nil {
			return redirect(pathOf(d.ARN) + "?done=destination-changed")
		}
		if err := form.refuse(err); err != nil {
			return page{}, err
		}
	}
	view := destinationOf(d)
	return page{
		name: "destination", status: form.status(), Title: cmp.Or(view.Where, "Destination"), Trail: v.back(s),
		Data: destinationPage{Form: form, Show: &view, Path: view.Path, Updated: answer.Destination.UpdatedAt},
	}, nil
}

func deleteDestination(v *visit) (page, error) {
	if err := v.sure(); err != nil {
		return page{}, err
	}
	if err := v.do("DeleteIngestionDestination", v.destinationMembers(), nil); err != nil {
		return page{}, err
	}
	return redirect(pathOf(v.ingestionARN().String()) + "?done=destination-deleted")
}
