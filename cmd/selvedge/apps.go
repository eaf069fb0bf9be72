package main

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"selvedge/connector"
	"selvedge/connector/all"
)

// appsCmd lists the supported applications.
type appsCmd struct {
	JSON bool `name:"json" help:"As JSON."`
}

// appInfo is an application as apps shows it.
type appInfo struct {
	Name      string   `json:"name"`
	Title     string   `json:"title"`
	AuthType  string   `json:"authType"`
	Connector bool     `json:"connector"` // without one it can be authorized, not connected
	Streams   []string `json:"streams"`
	Scopes    []string `json:"scopes,omitempty"`
	Tenant    string   `json:"tenantIdentifier"` // what is expected
	Example   string   `json:"example"`          // of a tenant identifier
}

// Run lists the applications.
func (c appsCmd) Run(w world) error {
	infos := make([]appInfo, 0, len(all.Apps()))
	for _, a := range all.Apps() {
		infos = append(infos, infoOf(a))
	}
	if c.JSON {
		enc := json.NewEncoder(w.stdout)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(infos)
	}
	t := tabwriter.NewWriter(w.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "APP\tAUTH TYPE\tCONNECTOR\tTENANT IDENTIFIER")
	for _, i := range infos {
		has := "not yet"
		if i.Connector {
			has = "yes"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", i.Name, i.AuthType, has, i.Tenant)
	}
	return t.Flush()
}

func infoOf(a connector.App) appInfo {
	i := appInfo{
		Name: a.Name, Title: a.Title, AuthType: string(a.Auth.Type()), Connector: a.HasConnector(),
		Streams: []string{}, Scopes: a.Auth.Scopes, Tenant: a.Auth.Tenant.Hint, Example: a.Auth.Tenant.Example,
	}
	for _, s := range a.Streams {
		i.Streams = append(i.Streams, s.Name)
	}
	return i
}
