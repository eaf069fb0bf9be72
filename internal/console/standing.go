package console

import (
	"strings"
	"time"

	"selvedge/connector"
	"selvedge/internal/fabric"
)

// verdict is how something stands in words, and what is to be done next.
type verdict struct {
	Tone string // good, warn, bad or idle
	Text string
	Why  string // in the words of whoever knows; empty: nothing to add
	Do   string // the next action; empty: there is none
	Path string // where it is done; empty: not in the console
}

// connectionState is a connection as ShowOverview has it.
type connectionState struct {
	Standing     fabric.Standing `json:"standing"`
	ARN          string          `json:"appAuthorizationArn"`
	App          string          `json:"app"`
	Tenant       tenantState     `json:"tenant"`
	Status       string          `json:"status"`
	Reason       string          `json:"reason"`
	Ingestion    string          `json:"ingestionArn"`
	State        string          `json:"state"`
	CreatedAt    time.Time       `json:"createdAt"`
	Destinations int64           `json:"destinations"`
	Failed       *struct {
		ARN    string `json:"arn"`
		Reason string `json:"statusReason"`
	} `json:"failedDestination"`
	Stream *struct {
		Name      string     `json:"name"`
		LastError string     `json:"lastError"`
		PollDue   *time.Time `json:"pollDue"`
	} `json:"failingStream"`
	ReadTo      time.Time `json:"readTo"`
	Undelivered time.Time `json:"oldestUndelivered"`
	LastAt      time.Time `json:"lastRecordsAt"`
	Volume      []struct {
		Hour    time.Time `json:"hour"`
		Records int64     `json:"records"`
	} `json:"volume"`
}

type tenantState struct {
	Identifier  string `json:"tenantIdentifier"`
	DisplayName string `json:"tenantDisplayName"`
}

// authorizationVerdict is how an authorization stands by itself. The title is the
// application's.
func authorizationVerdict(app connector.App, title, status, reason, path string) verdict {
	consents := app.Auth.Grant == connector.AuthorizationCode
	connect := verdict{Path: path, Why: reason, Do: "Connect to " + title + " again"}
	if consents {
		connect.Do = "Sign in at " + title + " again"
	}
	switch fabric.AuthorizationStatus(status) {
	case fabric.Connected:
		return verdict{Tone: "good", Text: "Connected"}
	case fabric.PendingConnect:
		connect.Tone, connect.Text = "warn", "Not connected yet"
		connect.Do = strings.TrimSuffix(connect.Do, " again")
	case fabric.TokenAutoRotationFailed:
		connect.Tone, connect.Text = "bad", "No longer connected"
		if !consents {
			connect.Do = "Give a new credential"
			connect.Path += "/edit"
		}
	default:
		connect.Tone, connect.Text = "bad", "The connection was refused"
		if !consents {
			connect.Do = "Mend the credential"
			connect.Path += "/edit"
		}
	}
	return connect
}

// verdictOf is how a connection stands as a whole.
func (v *visit) verdictOf(s connectionState) verdict {
	title, path := v.nameOf(s.App), pathOf(s.ARN)
	switch s.Standing {
	case fabric.StandingFailed:
		if s.Failed != nil && (s.Status == string(fabric.Connected) || s.Status == string(fabric.PendingConnect)) {
			return verdict{"bad", "A destination fails", s.Failed.Reason, "Mend the destination", pathOf(s.Failed.ARN)}
		}
	case fabric.StandingLate:
		d := verdict{Tone: "bad", Text: "Cannot be read", Do: "See why", Path: pathOf(s.Ingestion)}
		if s.Stream != nil {
			d.Text, d.Why = "Cannot read "+s.Stream.Name, s.Stream.LastError
		}
		return d
	case fabric.StandingWaiting:
		switch {
		case s.Status != string(fabric.Connected):
		case s.Ingestion == "":
			return verdict{"warn", "Connected, not collected", "", "Collect the audit log", path}
		default:
			return verdict{"warn", "Waits for a destination", "", "Add a destination", pathOf(s.Ingestion) + "/destinations/new"}
		}
	case fabric.StandingSilent:
		return verdict{"warn", "Silent", "Nothing came for more than a day, though it can be read.", "See that " + title + " has events", pathOf(s.Ingestion)}
	case fabric.StandingStopped:
		return verdict{"idle", "Stopped", "", "Start it when it is wanted", pathOf(s.Ingestion)}
	case fabric.StandingCollecting:
		return verdict{Tone: "good", Text: "Collecting"}
	}
	return authorizationVerdict(v.app(s.App), title, s.Status, s.Reason, path)
}

// app is an application of this server; of one that is unknown, its name alone.
func (c *Console) app(name string) connector.App {
	for i := range c.Apps {
		if c.Apps[i].Name == name {
			return c.Apps[i]
		}
	}
	return connector.App{Name: name}
}

// nameOf is the vendor's own name for an application.
func (c *Console) nameOf(app string) string {
	if title := c.app(app).Title; title != "" {
		return title
	}
	return app
}
