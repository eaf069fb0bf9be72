package console

import (
	"time"
)

// backfillState is how far a backfill is.
type backfillState struct {
	ID      string    `json:"backfillId"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Read    string    `json:"read"`
	Ended   bool      `json:"ended"`
	Streams []struct {
		Name      string    `json:"name"`
		DoneTo    time.Time `json:"doneTo"`
		Records   int64     `json:"records"`
		LastError string    `json:"lastError"`
	} `json:"streams"`
}

// backfillView is a backfill of all its streams together.
type backfillView struct {
	backfillState
	Percent int
	Records int64
	Errors  []string
}

func backfillOf(b backfillState) backfillView {
	view := backfillView{backfillState: b}
	var done, whole time.Duration
	for _, s := range b.Streams {
		view.Records += s.Records
		done += s.DoneTo.Sub(b.From)
		whole += b.To.Sub(b.From)
		if s.LastError != "" && !b.Ended {
			view.Errors = append(view.Errors, s.Name+": "+s.LastError)
		}
	}
	if b.Ended {
		view.Percent = 100
	} else if whole > 0 {
		view.Percent = int(min(99, max(0, done*100/whole)))
	}
	return view
}

// backfillForm asks for a range of time to be read.
type backfillForm struct {
	refusal
	From, To field
	All      bool // what was read before too
}

const minuteForm = "2006-01-02T15:04" // of an input of type datetime-local

func newBackfillForm(now time.Time) backfillForm {
	return backfillForm{
		From: field{Name: "from", Label: "From (UTC)", Type: "datetime-local", Value: now.UTC().Add(-24 * time.Hour).Format(minuteForm), Required: true},
		To:   field{Name: "to", Label: "To (UTC)", Type: "datetime-local", Value: now.UTC().Format(minuteForm), Required: true},
	}
}

// instant is the time of an input of type datetime-local as the API takes it. What
// is none stays as it is: the API says what it wants.
func instant(text string) string {
	for _, form := range []string{minuteForm, "2006-01-02T15:04:05"} {
		if t, err := time.Parse(form, text); err == nil {
			return t.Format(time.RFC3339)
		}
	}
	return text
}

func backfill(v *visit) (page, error) {
	form := newBackfillForm(v.Now())
	form.From.Value, form.To.Value = v.r.PostFormValue("from"), v.r.PostFormValue("to")
	in := members{"resourceArn": v.ingestionARN().String(), "from": instant(form.From.Value), "to": instant(form.To.Value), "read": "missing"}
	if v.r.PostFormValue("read") == "all" {
		form.All, in["read"] = true, "all"
	}
	err := v.do("Backfill", in, nil)
	if err == nil {
		return redirect(pathOf(v.ingestionARN().String()) + "?done=backfill#backfills")
	}
	if form.refusal, err = refused(err, map[string]string{"from": "from", "to": "to"}); err != nil {
		return page{}, err
	}
	form.into(&form.From, &form.To)
	return ingestionWith(v, form)
}
