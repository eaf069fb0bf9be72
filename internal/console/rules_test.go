package console_test

import (
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// fenced holds for every answer: nothing may frame it, run a script in it or make
// a form lead elsewhere.
func (d document) fenced(path string) {
	d.t.Helper()
	csp := d.header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
		if !strings.Contains(csp, want) || strings.Contains(csp, "unsafe") {
			d.t.Errorf("%s: the policy %q lacks %q or is unsafe", path, csp, want)
		}
	}
	for name, want := range map[string]string{
		"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
	} {
		if got := d.header.Get(name); got != want {
			d.t.Errorf("%s: %s is %q, want %q", path, name, got, want)
		}
	}
}

// rules holds for every page of every test, refusals too: it is small, has no
// script but ours, and can be used without seeing it.
func (d document) rules(path string) {
	d.t.Helper()
	for _, fault := range slices.Concat(d.harmless(), d.outlined(), d.labelled(), d.tables(), d.drawings()) {
		d.t.Errorf("%s: %s", path, fault)
	}
	if len(d.body) > 100_000 {
		d.t.Errorf("%s has %d bytes", path, len(d.body))
	}
}

// harmless: what a page loads is ours, and what it leads to is here, or is a sign-in
// at a provider.
func (d document) harmless() (faults []string) {
	for _, n := range d.all("") {
		switch n.Data {
		case "script":
			if !strings.HasPrefix(attribute(n, "src"), "/console/assets/live.js?") || n.FirstChild != nil {
				faults = append(faults, "a script that is not ours")
			}
		case "style", "img", "iframe", "object", "embed", "base", "math", "template":
			faults = append(faults, "an element "+n.Data)
		case "form":
			if to := attribute(n, "action"); !strings.HasPrefix(to, "/console/") {
				faults = append(faults, "a form to "+to)
			}
			token := slices.ContainsFunc(within(n, "input"), func(i *html.Node) bool { return attribute(i, "name") == "csrf" && attribute(i, "value") != "" })
			if attribute(n, "method") == "post" && !token && attribute(n, "action") != "/console/sign-in" {
				faults = append(faults, "a form without its token")
			}
		case "a":
			to := attribute(n, "href")
			here := strings.HasPrefix(to, "/console/") || strings.HasPrefix(to, "?") || strings.HasPrefix(to, "#") && to != "#ZgotmplZ" // which takes the place of what html/template does not trust
			away := attribute(n, "rel") == "noreferrer" && (strings.HasPrefix(to, "https://") || strings.HasPrefix(to, "http://127.0.0.1") || strings.HasPrefix(to, "http://localhost") || strings.Contains(to, ".localhost:"))
			if !here && !away {
				faults = append(faults, "a link to "+to)
			}
		}
		for _, a := range n.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") || strings.Contains(strings.ToLower(a.Val), "javascript:") && a.Key != "value" {
				faults = append(faults, n.Data+" has "+a.Key+"="+a.Val)
			}
		}
	}
	return faults
}

// outlined: the page has a language, a title, landmarks and headings in order.
func (d document) outlined() (faults []string) {
	if attribute(d.find("html", "", ""), "lang") == "" {
		faults = append(faults, "no language")
	}
	if title := d.find("title", "", ""); title == nil || !strings.HasSuffix(words(title), " - Selvedge") {
		faults = append(faults, "no title")
	}
	for name, want := range map[string]int{"main": 1, "header": 1, "h1": 1} {
		if n := len(d.all(name)); n != want {
			faults = append(faults, "there is not one "+name)
		}
	}
	names := map[string]bool{}
	for _, n := range d.all("nav") {
		name := attribute(n, "aria-label")
		if name == "" || names[name] {
			faults = append(faults, "a navigation named "+name)
		}
		names[name] = true
	}
	level := 0
	for _, n := range d.all("") {
		if len(n.Data) != 2 || n.Data[0] != 'h' || n.Data[1] < '1' || n.Data[1] > '6' {
			continue
		}
		next := int(n.Data[1] - '0')
		if next > level+1 {
			faults = append(faults, n.Data+" is too deep: "+words(n))
		}
		if level = next; words(n) == "" {
			faults = append(faults, "an empty "+n.Data)
		}
	}
	return faults
}

// labelled: what can be used has a name, and what describes it is there.
func (d document) labelled() (faults []string) {
	ids, labels := map[string]bool{}, map[string]bool{}
	for _, n := range d.all("") {
		if id, ok := attributeOf(n, "id"); ok {
			if ids[id] || id == "" {
				faults = append(faults, "the id "+id+" twice")
			}
			ids[id] = true
		}
		if n.Data == "label" && words(n) != "" {
			labels[attribute(n, "for")] = true
		}
	}
	for _, n := range d.all("") {
		switch n.Data {
		case "input", "select", "textarea":
			if attribute(n, "type") != "hidden" && !labels[attribute(n, "id")] && attribute(n, "aria-label") == "" {
				faults = append(faults, n.Data+" "+attribute(n, "name")+" has no label")
			}
		case "a", "button", "summary":
			drawn := slices.ContainsFunc(within(n, "svg"), func(s *html.Node) bool { return attribute(s, "aria-label") != "" })
			if words(n) == "" && attribute(n, "aria-label") == "" && !drawn {
				faults = append(faults, n.Data+" to "+attribute(n, "href")+" says nothing")
			}
		case "label":
			if !ids[attribute(n, "for")] {
				faults = append(faults, "a label for "+attribute(n, "for"))
			}
		}
		for id := range strings.FieldsSeq(attribute(n, "aria-describedby") + " " + attribute(n, "aria-labelledby")) {
			if !ids[id] {
				faults = append(faults, n.Data+" refers to "+id+", which is not there")
			}
		}
		if attribute(n, "aria-invalid") == "true" && attribute(n, "aria-describedby") == "" {
			faults = append(faults, attribute(n, "name")+" is wrong, and nothing says why")
		}
	}
	return faults
}

// tables: cells have headings, and a narrow page scrolls the table alone.
func (d document) tables() (faults []string) {
	for _, n := range d.all("table") {
		if n.Parent.Data != "div" || attribute(n.Parent, "class") != "scroll" {
			faults = append(faults, "a table that does not scroll")
		}
		columns := 0
		for _, th := range within(n, "th") {
			switch attribute(th, "scope") {
			case "col":
				columns++
			case "row":
			default:
				faults = append(faults, "a heading without a scope: "+words(th))
			}
			if words(th) == "" {
				faults = append(faults, "an empty heading of a table")
			}
		}
		if columns == 0 {
			faults = append(faults, "a table without headings")
		}
	}
	return faults
}

// drawings say in words what they show.
func (d document) drawings() (faults []string) {
	for _, n := range d.all("svg") {
		title := within(n, "title")
		if attribute(n, "aria-hidden") != "true" && (attribute(n, "role") != "img" || len(title) == 0 || words(title[0]) == "") {
			faults = append(faults, "a drawing without words")
		}
	}
	return faults
}
