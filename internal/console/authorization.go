package console

import (
	"net"
	"net/url"
	"strings"
	"time"

	"selvedge/connector"
	"selvedge/internal/fabric"
)

// authorizationState is an authorization as ShowAuthorization has it, or as much
// of it as GetAppAuthorization has.
type authorizationState struct {
	ARN        string      `json:"appAuthorizationArn"`
	App        string      `json:"app"`
	Tenant     tenantState `json:"tenant"`
	AuthType   string      `json:"authType"`
	Status     string      `json:"status"`
	Reason     string      `json:"reason"`
	AuthURL    string      `json:"authUrl"`
	Generation int64       `json:"generation"`
	ExpiresAt  time.Time   `json:"expiresAt"`
	RefreshDue time.Time   `json:"refreshDue"`
	CreatedAt  time.Time   `json:"createdAt"`
	UpdatedAt  time.Time   `json:"updatedAt"`
	Ingestion  string      `json:"ingestionArn"`
	Requires   *struct {
		App    string `json:"app"`
		ARN    string `json:"appAuthorizationArn"`
		Status string `json:"status"`
	} `json:"requires"`
	Lineage []grantEvent `json:"lineage"`
}

type grantEvent struct {
	At         time.Time `json:"at"`
	Event      string    `json:"event"`
	Generation int64     `json:"generation"`
	Replica    string    `json:"replica"`
	Detail     string    `json:"detail"`
}

// Text is what became of the grant, in words.
func (e grantEvent) Text() string {
	if text, ok := map[string]string{
		"exchanged": "A new credential was put to use", "refreshed": "Token refreshed", "refused": "Refused by the provider",
		"revoked": "Given back to the provider", "lost": "Lost: an answer of the provider never arrived",
	}[e.Event]; ok {
		return text
	}
	return e.Event
}

// maxLineage is how many events of a lineage are shown.
const maxLineage = 20

// authorizationPage is an authorization and what can be done with it.
type authorizationPage struct {
	authorizationState
	Name     string // of the application
	Path     string
	Verdict  verdict
	Consents bool   // a person signs in; else the credential is tried by itself
	Partial  bool   // the key may not see reason and lineage
	Collects string // page of the ingestion; empty: there is none
	Needs    *need  // another application to be connected first; nil: none
	Tags     []tag
	Older    int // events of the lineage that are not shown
}

// need is another application that must be connected for the same tenant.
type need struct{ Name, Path string }

type tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

func (v *visit) authorizationARN() string {
	return fabric.ARN{
		Region: v.session.Region, Account: v.session.Account, Kind: fabric.KindAppAuthorization,
		Bundle: v.at("bundle"), Child: v.at("authorization"),
	}.String()
}

func (v *visit) authorizationMembers() members {
	return members{"appBundleIdentifier": v.at("bundle"), "appAuthorizationIdentifier": v.at("authorization")}
}

func (v *visit) authorizationPath(done string) string {
	path := pathOf(v.authorizationARN())
	if done != "" {
		path += "?done=" + done
	}
	return path
}

// getAuthorization reads what every key may see that may see it at all, and the
// address at which a person consents.
func (v *visit) getAuthorization() (authorizationState, error) {
	var answer struct {
		AppAuthorization authorizationState `json:"appAuthorization"`
	}
	err := v.do("GetAppAuthorization", v.authorizationMembers(), &answer)
	return answer.AppAuthorization, err
}

// showAuthorization reads the rest too, unless the key may not see it.
func (v *visit) showAuthorization() (s authorizationState, partial bool, err error) {
	plain, err := v.getAuthorization()
	if err != nil {
		return s, false, err
	}
	var answer struct {
		Authorization authorizationState `json:"authorization"`
	}
	err = v.do("ShowAuthorization", members{"resourceArn": v.authorizationARN()}, &answer)
	if fabric.KindOfError(err) == fabric.AccessDenied {
		return plain, true, nil
	}
	s = answer.Authorization
	s.AuthURL = plain.AuthURL
	return s, false, err
}

func authorization(v *visit) (page, error) {
	s, partial, err := v.showAuthorization()
	if err != nil {
		return page{}, err
	}
	app := v.app(s.App)
	d := authorizationPage{
		authorizationState: s, Name: v.nameOf(s.App), Path: v.authorizationPath(""), Partial: partial,
		Consents: app.Auth.Grant == connector.AuthorizationCode,
	}
	if !consentAddress(s.AuthURL) {
		d.AuthURL = ""
	}
	d.Verdict = authorizationVerdict(app, d.Name, s.Status, s.Reason, d.Path)
	if s.Ingestion != "" {
		d.Collects = pathOf(s.Ingestion)
	}
	if r := s.Requires; r != nil && r.Status != string(fabric.Connected) {
		d.Needs = &need{Name: v.nameOf(r.App), Path: connectPath(r.App)}
		if r.ARN != "" {
			d.Needs.Path = pathOf(r.ARN)
		}
	}
	d.Older = max(0, len(s.Lineage)-maxLineage)
	d.Lineage = s.Lineage[:len(s.Lineage)-d.Older]
	if d.Tags, err = v.tags(v.authorizationARN()); err != nil {
		return page{}, err
	}
	return page{name: "authorization", Title: d.Name + ": " + s.Tenant.DisplayName, Data: d}, nil
}

// consentAddress says whether a link may lead to an address: https, or plain http
// on this machine, where applications are simulated. Every name below localhost is
// this machine's (https://www.rfc-editor.org/rfc/rfc6761#section-6.3, checked 2026-11-23).
func consentAddress(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil {
		return false
	}
	host := u.Hostname()
	ip := net.ParseIP(host)
	own := host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
	return u.Scheme == "https" || u.Scheme == "http" && own
}

// tags reads the tags of a resource. A key that may not see them sees none.
func (v *visit) tags(arn string) ([]tag, error) {
	var answer struct {
		Tags []tag `json:"tags"`
	}
	err := v.do("ListTagsForResource", members{"resourceArn": arn}, &answer)
	if fabric.KindOfError(err) == fabric.AccessDenied {
		err = nil
	}
	return answer.Tags, err
}

// reconnect tries a credential that needs nobody's consent.
func reconnect(v *visit) (page, error) {
	var answer struct {
		Summary struct {
			Status string `json:"status"`
		} `json:"appAuthorizationSummary"`
	}
	if err := v.do("ConnectAppAuthorization", v.authorizationMembers(), &answer); err != nil {
		return page{}, err
	}
	if answer.Summary.Status == string(fabric.Connected) {
		return redirect(v.authorizationPath("connected"))
	}
	return redirect(v.authorizationPath(""))
}

// collect makes the ingestion of an authorization, and leads on to its first
// destination.
func collect(v *visit) (page, error) {
	s, err := v.getAuthorization()
	if err != nil {
		return page{}, err
	}
	var answer struct {
		Ingestion struct {
			ARN string `json:"arn"`
		} `json:"ingestion"`
	}
	err = v.do("CreateIngestion", members{
		"appBundleIdentifier": v.at("bundle"), "app": s.App, "tenantId": s.Tenant.Identifier, "ingestionType": fabric.IngestionTypeAuditLog,
	}, &answer)
	if err != nil {
		return page{}, err
	}
	return redirect(pathOf(answer.Ingestion.ARN) + "/destinations/new?done=ingestion-made")
}

// editPage changes what an authorization was given.
type editPage struct {
	Form     credentialForm
	Name     string
	Path     string
	Consents bool
}

func editAuthorization(v *visit) (page, error) {
	s, err := v.getAuthorization()
	if err != nil {
		return page{}, err
	}
	app := v.app(s.App)
	d := editPage{Form: newCredentialForm(app), Name: v.nameOf(s.App), Path: v.authorizationPath(""), Consents: app.Auth.Grant == connector.AuthorizationCode}
	d.Form.Tenant.Value, d.Form.Display.Value = s.Tenant.Identifier, s.Tenant.DisplayName
	d.Form.ID.Required, d.Form.Secret.Required = false, false
	d.Form.Secret.Hint = "Empty: the one that was given before."
	if v.sent() {
		ok, err := d.update(v, app)
		if err != nil {
			return page{}, err
		}
		if ok {
			return redirect(v.authorizationPath("authorization-changed"))
		}
	}
	return page{
		name: "edit", status: d.Form.status(), Title: "Change " + d.Name + ": " + s.Tenant.DisplayName,
		Trail: []crumb{{d.Name + ": " + s.Tenant.DisplayName, d.Path}}, Data: d,
	}, nil
}

// update sends what was changed; false: the form says what is wrong.
func (d *editPage) update(v *visit, app connector.App) (bool, error) {
	secret, ok := d.Form.fill(v, app)
	if !ok {
		return false, nil
	}
	in := v.authorizationMembers()
	in["tenant"] = d.Form.tenant()
	if secret != "" || d.Form.ID.Value != "" {
		in["credential"] = d.Form.credential(secret)
	}
	if err := v.do("UpdateAppAuthorization", in, nil); err != nil {
		return false, d.Form.refuse(err)
	}
	return true, nil
}

func deleteAuthorization(v *visit) (page, error) {
	if err := v.sure(); err != nil {
		return page{}, err
	}
	if err := v.do("DeleteAppAuthorization", v.authorizationMembers(), nil); err != nil {
		return page{}, err
	}
	return redirect(home + "?done=authorization-deleted")
}

func tagAuthorization(v *visit) (page, error) {
	one := map[string]any{"key": strings.TrimSpace(v.r.PostFormValue("key")), "value": strings.TrimSpace(v.r.PostFormValue("value"))}
	err := v.do("TagResource", members{"resourceArn": v.authorizationARN(), "tags": []any{one}}, nil)
	if err != nil {
		return page{}, err
	}
	return redirect(v.authorizationPath("tagged") + "#tags")
}

func untagAuthorization(v *visit) (page, error) {
	err := v.do("UntagResource", members{"resourceArn": v.authorizationARN(), "tagKeys": []any{v.r.PostFormValue("key")}}, nil)
	if err != nil {
		return page{}, err
	}
	return redirect(v.authorizationPath("untagged") + "#tags")
}
