// Package doctor looks at how a server is set up, whether it runs or not, and
// says of each fault what to do about it. It changes nothing: no object is put
// anywhere to try a bucket out, and the database is read alone.
//
// What is looked at is the table of checks; each is a function of its own, in the
// file that is named after it. A check that needs what an earlier one did not find is skipped.
package doctor

import (
	"context"
	"net/http"
	"time"

	"selvedge/connector"
	"selvedge/internal/secret"
	"selvedge/internal/store"
	"selvedge/sink"
)

// Status is how bad a finding is.
type Status string

// The statuses. Only a fault keeps a server from doing all of its work.
const (
	OK      Status = "ok"
	Warning Status = "warning"
	Fault   Status = "fault"
	Skipped Status = "skipped"
)

// Finding is what a check says of one thing.
type Finding struct {
	Check   string `json:"check"`
	Subject string `json:"subject"` // what was looked at
	Status  Status `json:"status"`
	Detail  string `json:"detail"`           // what was seen
	Remedy  string `json:"remedy,omitempty"` // what to do about it
}

// File is a file or folder of the server's own.
type File struct {
	Path     string
	Folder   bool
	Optional bool // the server makes it, or does without
	Shared   bool // a group may read it
}

// Setup is what is looked at. Buckets and Streams may be nil.
type Setup struct {
	Warnings []string // of the settings
	Files    []File

	TLSCert, TLSKey string // empty: no TLS

	Database store.Options
	DataDir  string
	// Free is how many bytes the disk of a folder has left; FreeFloor, how many
	// polling leaves.
	Free      func(dir string) (int64, error)
	FreeFloor int64

	MasterKeyFile string
	KMS           secret.KEK // nil: keys are derived from the master key

	Buckets, Streams sink.Looker

	PublicURL string
	Web       http.RoundTripper // to the public URL

	Apps      []connector.App
	Providers http.RoundTripper // as the server reaches them

	Now func() time.Time
}

// InstanceHeader has, in answers of /healthz, the name of the installation: see
// Instance.
const InstanceHeader = "X-Selvedge-Instance"

// check looks at one matter.
type check struct {
	name string
	look func(ctx context.Context, e *examination) []Finding
}

// checks is all that is looked at, in this order: a check may use what those
// before it have found.
func checks() []check {
	return []check{
		{"settings", settings},
		{"files", files},
		{"certificate", tlsPair},
		{"database", database},
		{"disk", disk},
		{"keys", keys},
		{"key service", keyService},
		{"destinations", destinations},
		{"public url", publicURL},
		{"providers", providers},
		{"clock", clock},
	}
}

// examination is a Setup and what was found so far.
type examination struct {
	Setup
	store     *store.Store // nil: it cannot be read
	condition store.Condition
	keys      *secret.Keyring // nil: the master key does not open the database
	seed      secret.Seed
	skews     []skew
}

// skew is how far a clock is ahead of this machine's, give or take within.
type skew struct {
	of         string
	by, within time.Duration
}

// checkTime is what one check may take.
const checkTime = 2 * time.Minute

// Examine looks at everything.
func Examine(ctx context.Context, s Setup) ([]Finding, error) {
	e := &examination{Setup: s}
	var all []Finding
	for _, c := range checks() {
		within, cancel := context.WithTimeout(ctx, checkTime)
		for _, f := range c.look(within, e) {
			f.Check = c.name
			all = append(all, f)
		}
		cancel()
	}
	if e.store == nil {
		return all, ctx.Err()
	}
	if err := e.store.Close(); err != nil {
		return all, err
	}
	return all, ctx.Err()
}

// Healthy says whether there is no fault.
func Healthy(all []Finding) bool {
	for _, f := range all {
		if f.Status == Fault {
			return false
		}
	}
	return true
}

func ok(subject, detail string) Finding {
	return Finding{Subject: subject, Status: OK, Detail: detail}
}

func fault(subject, detail, remedy string) Finding {
	return Finding{Subject: subject, Status: Fault, Detail: detail, Remedy: remedy}
}

func warning(subject, detail, remedy string) Finding {
	return Finding{Subject: subject, Status: Warning, Detail: detail, Remedy: remedy}
}

// skip is the finding of a check that another one stands in the way of.
func skip(subject, because string) []Finding {
	return []Finding{{Subject: subject, Status: Skipped, Detail: because}}
}

const noDatabase = "the database cannot be read"
