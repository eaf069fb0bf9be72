package console

import (
	"cmp"
	"errors"
	"strings"

	"github.com/google/uuid"

	"selvedge/connector"
	"selvedge/internal/fabric"
)

// credentialForm is what an authorization is given, under the provider's names.
type credentialForm struct {
	refusal
	Tenant  field
	Display field
	ID      field // of the client; unnamed where the application takes a key
	Secret  field // of the client, or the key
}

// newCredentialForm is the empty form of an application.
func newCredentialForm(app connector.App) credentialForm {
	names := app.Guide.Fields.Named()
	f := credentialForm{
		Tenant: field{
			Name: "tenant", Label: names.Tenant, Type: "text", Required: true,
			Hint: upper(app.Auth.Tenant.Hint) + ".",
		},
		Display: field{Name: "display", Label: "Display name", Type: "text", Hint: "How the tenant is called on these pages. Empty: as above."},
		Secret:  field{Name: "secret", Label: names.APIKey, Type: "password", Required: true},
	}
	if app.Auth.Grant != connector.APIKey {
		f.ID = field{Name: "id", Label: names.ClientID, Type: "text", Required: true}
		f.Secret.Label = names.ClientSecret
	}
	return f
}

func upper(text string) string {
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// fill takes what was sent and checks the tenant identifier, which the API does
// not: a wrong one would be found out at the provider only. It returns the secret,
// which the form does not show again.
func (f *credentialForm) fill(v *visit, app connector.App) (secret string, ok bool) {
	for _, one := range []*field{&f.Tenant, &f.Display, &f.ID} {
		one.Value = strings.TrimSpace(v.r.PostFormValue(one.Name))
	}
	_, err := app.Auth.Tenant.Vars(f.Tenant.Value)
	if err != nil {
		f.Faults = map[string]string{"tenant": "It must look like " + app.Auth.Tenant.Example + "."}
		f.into(&f.Tenant)
	}
	return strings.TrimSpace(v.r.PostFormValue("secret")), err == nil
}

func (f *credentialForm) tenant() map[string]any {
	return map[string]any{"tenantIdentifier": f.Tenant.Value, "tenantDisplayName": cmp.Or(f.Display.Value, f.Tenant.Value)}
}

func (f *credentialForm) credential(secret string) map[string]any {
	if f.ID.Name == "" {
		return map[string]any{"apiKeyCredential": map[string]any{"apiKey": secret}}
	}
	return map[string]any{"oauth2Credential": map[string]any{"clientId": f.ID.Value, "clientSecret": secret}}
}

// refuse puts what the API says of the form beside its fields.
func (f *credentialForm) refuse(err error) error {
	f.refusal, err = refused(err, map[string]string{
		"tenant.tenantIdentifier": "tenant", "tenant.tenantDisplayName": "display",
		"credential.oauth2Credential.clientId": "id", "credential.oauth2Credential.clientSecret": "secret",
		"credential.apiKeyCredential.apiKey": "secret",
	})
	f.into(&f.Tenant, &f.Display, &f.ID, &f.Secret)
	return err
}

// connectPage is the guided connect of an application.
type connectPage struct {
	App     appCard
	Form    credentialForm
	Token   string         // makes of a form that is sent twice one authorization
	Bundles []bundleChoice // to choose from
	Exists  string         // page of the authorization that is there already; empty: there is none
}

// connectApp shows the form of an application, and makes an authorization of it.
func connectApp(v *visit) (page, error) {
	app := v.app(strings.ToUpper(v.at("app")))
	if app.Auth.TokenURL == "" && app.Auth.Grant != connector.APIKey {
		return page{}, &fabric.Error{Kind: fabric.NotFound, Message: "There is no such application."}
	}
	bundles, err := v.bundles()
	if err != nil {
		return page{}, err
	}
	d := connectPage{App: v.card(app), Form: newCredentialForm(app), Token: v.token(), Bundles: bundles}
	if v.sent() {
		arn, err := d.create(v, app)
		if err != nil {
			return page{}, err
		}
		if arn != "" {
			return redirect(pathOf(arn) + "?done=authorization-made")
		}
	}
	return page{
		name: "connect", status: d.Form.status(), Title: "Connect " + d.App.Title,
		Trail: []crumb{{"Applications", home + "apps"}}, Data: d,
	}, nil
}

// create makes the authorization, and its bundle where there is none yet. An
// empty ARN without an error: the form says what is wrong.
func (d *connectPage) create(v *visit, app connector.App) (string, error) {
	secret, ok := d.Form.fill(v, app)
	if !ok {
		return "", nil
	}
	bundle, err := v.bundleFor(d.Bundles, d.Token)
	if err != nil {
		return "", err
	}
	var answer struct {
		AppAuthorization struct {
			ARN string `json:"appAuthorizationArn"`
		} `json:"appAuthorization"`
	}
	err = v.do("CreateAppAuthorization", members{
		"appBundleIdentifier": bundle, "app": app.Name, "authType": string(app.Auth.Type()), "clientToken": d.Token,
		"tenant": d.Form.tenant(), "credential": d.Form.credential(secret),
	}, &answer)
	if e, ok := errors.AsType[*fabric.Error](err); ok && e.Kind == fabric.Conflict && fabric.IsUUID(e.ResourceID) && e.ResourceID != bundle {
		d.Exists = home + "bundles/" + bundle + "/authorizations/" + e.ResourceID
	}
	if err != nil {
		d.Token = uuid.NewString()
		return "", d.Form.refuse(err)
	}
	return answer.AppAuthorization.ARN, nil
}
