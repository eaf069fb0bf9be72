package simulator

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"
)

// Options configures a [Server]. The zero value works.
type Options struct {
	Now  func() time.Time // clock of every rule; nil: time.Now
	Log  *slog.Logger     // one debug line per request; nil: nothing is logged
	Mark string           // begins every code, token and key that is made: to be looked for where none must be
	Seed uint64           // the same seed, clock and calls give the same records and tokens

	Asana          AsanaOptions
	Cisco          CiscoOptions
	Dropbox        DropboxOptions
	Google         GoogleOptions
	Jira           JiraOptions
	M365           M365Options
	M365AuditLogs  M365AuditLogsOptions
	Okta           OktaOptions
	Slack          SlackOptions
	Smartsheet     SmartsheetOptions
	TerraformCloud TerraformCloudOptions
	Zendesk        ZendeskOptions
	Zoom           ZoomOptions
}

// Server is all simulated applications behind one handler. It is safe for
// concurrent use and starts no goroutine.
type Server struct {
	apps           []application
	asana          *Asana
	cisco          *Cisco
	dropbox        *Dropbox
	google         *Google
	jira           *Jira
	m365           *M365
	m365AuditLogs  *M365AuditLogs
	okta           *Okta
	slack          *Slack
	smartsheet     *Smartsheet
	terraformCloud *TerraformCloud
	zendesk        *Zendesk
	zoom           *Zoom
	control        *http.ServeMux
}

// application is what the server itself needs of a simulated application.
type application interface {
	core() *app
	// Revoke withdraws every credential given out, as the customer's
	// administrator would.
	Revoke()
	// Account is how it is connected to; its App is filled in for it.
	Account() Account
}

// sharer is an application that has an address in common with another, as
// several have one sign-in server.
type sharer interface {
	// claims tells whether a request to such an address is meant for it. The
	// form of a POST is parsed already.
	claims(r *http.Request) bool
}

// New makes the simulated applications.
func New(options Options) *Server {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{
		asana:          newAsana(options),
		cisco:          newCisco(options),
		dropbox:        newDropbox(options),
		google:         newGoogle(options),
		jira:           newJira(options),
		m365:           newM365(options),
		m365AuditLogs:  newM365AuditLogs(options),
		okta:           newOkta(options),
		slack:          newSlack(options),
		smartsheet:     newSmartsheet(options),
		terraformCloud: newTerraformCloud(options),
		zendesk:        newZendesk(options),
		zoom:           newZoom(options),
	}
	s.apps = []application{s.asana, s.cisco, s.dropbox, s.google, s.jira, s.m365, s.m365AuditLogs, s.okta, s.slack, s.smartsheet, s.terraformCloud, s.zendesk, s.zoom}
	s.control = s.controlRoutes()
	return s
}

// Asana is the simulated Asana domain.
func (s *Server) Asana() *Asana { return s.asana }

// Cisco is the simulated Webex organization.
func (s *Server) Cisco() *Cisco { return s.cisco }

// M365 is the simulated Microsoft Graph.
func (s *Server) M365() *M365 { return s.m365 }

// M365AuditLogs is the simulated Office 365 Management Activity API.
func (s *Server) M365AuditLogs() *M365AuditLogs { return s.m365AuditLogs }

// Google is the simulated Google Workspace.
func (s *Server) Google() *Google { return s.google }

// Jira is the simulated Jira Cloud site.
func (s *Server) Jira() *Jira { return s.jira }

// Okta is the simulated Okta organisation.
func (s *Server) Okta() *Okta { return s.okta }

// Slack is the simulated Slack organisation.
func (s *Server) Slack() *Slack { return s.slack }

// Smartsheet is the simulated Smartsheet account.
func (s *Server) Smartsheet() *Smartsheet { return s.smartsheet }

// TerraformCloud is the simulated HCP Terraform organisation.
func (s *Server) TerraformCloud() *TerraformCloud { return s.terraformCloud }

// Zendesk is the simulated Zendesk account.
func (s *Server) Zendesk() *Zendesk { return s.zendesk }

// Dropbox is the simulated Dropbox team.
func (s *Server) Dropbox() *Dropbox { return s.dropbox }

// Zoom is the simulated Zoom account.
func (s *Server) Zoom() *Zoom { return s.zoom }

// Inject adds a fault to the application called name ("OKTA").
func (s *Server) Inject(name string, fault Fault) error {
	found, err := s.find(name)
	if err != nil {
		return err
	}
	return found.core().inject(fault)
}

// ClearFaults ends every fault of the application called name, and with them
// the requests that hang.
func (s *Server) ClearFaults(name string) error {
	found, err := s.find(name)
	if err != nil {
		return err
	}
	found.core().clearFaults()
	return nil
}

// ServeHTTP gives the request to the application named by its Host
// (okta.localhost, with any port), or else to the first that has the path. Of
// those that share an address, the one that claims the request has it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, controlPrefix) {
		s.control.ServeHTTP(w, r)
		return
	}
	host := r.Host
	if bare, _, err := net.SplitHostPort(host); err == nil {
		host = bare
	}
	for _, a := range s.apps {
		if strings.EqualFold(host, a.core().host) {
			s.claimant(a, w, r).core().ServeHTTP(w, r)
			return
		}
	}
	for _, a := range s.apps {
		if a.core().has(r) {
			s.claimant(a, w, r).core().ServeHTTP(w, r)
			return
		}
	}
	http.NotFound(w, r)
}

// claimant is whom a request is meant for that came to an application: itself,
// unless another with which it shares the address claims it.
func (s *Server) claimant(came application, w http.ResponseWriter, r *http.Request) application {
	shares, ok := came.(sharer)
	if !ok {
		return came
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxRequestBody)
	_ = r.ParseForm() // a form that cannot be read is nobody's in particular
	if shares.claims(r) {
		return came
	}
	for _, a := range s.apps {
		if other, ok := a.(sharer); ok && a.core().has(r) && other.claims(r) {
			return a
		}
	}
	return came
}

func (s *Server) find(name string) (application, error) {
	for _, a := range s.apps {
		if a.core().name == name {
			return a, nil
		}
	}
	return nil, fmt.Errorf("simulator: no application is called %q", name)
}
