package console

import (
	"cmp"
	"slices"
	"strings"

	"selvedge/connector"
)

// appCard is an application with what it needs.
type appCard struct {
	Name     string // AppFabric's identifier
	Title    string
	Guide    connector.Guide
	Fields   []string // what it is to be given, in its own words
	SignIn   string   // how one signs in
	Scopes   []string
	Streams  []string
	Redirect string // URL to give to the provider; empty: none is needed
	Path     string // of its guided connect
	Requires *appCard
	Ready    bool // it can be collected from
}

func (v *visit) card(app connector.App) appCard {
	c := appCard{
		Name: app.Name, Title: cmp.Or(app.Title, app.Name), Guide: app.Guide, Scopes: scopes(app),
		Path: connectPath(app.Name), Ready: app.HasConnector(),
	}
	names := app.Guide.Fields.Named()
	c.Fields = []string{names.Tenant, names.ClientID, names.ClientSecret}
	switch app.Auth.Grant {
	case connector.AuthorizationCode:
		c.SignIn, c.Redirect = "A person consents in a browser", v.redirectURL()
	case connector.APIKey:
		c.SignIn, c.Fields = "With a key, nobody need sign in", []string{names.Tenant, names.APIKey}
	default:
		c.SignIn = "With the client's own credential, nobody need sign in"
	}
	for _, s := range app.Streams {
		c.Streams = append(c.Streams, s.Name)
	}
	if app.Requires != "" {
		other := v.card(v.app(app.Requires))
		c.Requires = &other
	}
	return c
}

// scopes are the application's, and those that only some of its streams need.
func scopes(app connector.App) []string {
	all := slices.Clone(app.Auth.Scopes)
	for _, s := range app.Streams {
		for _, scope := range s.Scopes {
			if !slices.Contains(all, scope) {
				all = append(all, scope)
			}
		}
	}
	return all
}

func connectPath(app string) string { return home + "apps/" + strings.ToLower(app) + "/connect" }

// redirectURL is where providers send a browser back to.
func (c *Console) redirectURL() string { return c.PublicURL + "/appfabric/oauth2" }

// directory shows all applications.
func directory(v *visit) (page, error) {
	var d struct {
		Redirect string
		Cards    []appCard
	}
	d.Redirect = v.redirectURL()
	for _, app := range v.Apps {
		d.Cards = append(d.Cards, v.card(app))
	}
	return page{name: "apps", Title: "Applications", Data: d}, nil
}
