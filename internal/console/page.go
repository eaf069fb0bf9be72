package console

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// page is what a route answers: a page to show, or where to go on.
type page struct {
	name   string // of its template
	status int    // 0: 200
	to     string // address of the next page, after a form was taken; then nothing else counts

	Title string
	Trail []crumb // where the page is, from the top; without the page itself
	Data  any
	live  bool
}

// crumb is a step on the way to a page.
type crumb struct{ Name, Path string }

// redirect goes on with another page of the console.
func redirect(to string) (page, error) { return page{to: to}, nil }

// shown is what a template gets.
type shown struct {
	page
	SignedIn bool
	Account  string
	Region   string
	Key      string
	CSRF     string
	Here     string // path of the page
	Done     string // what was just done
	Live     bool
}

// parsePages makes a template of each page, with the layout around it. A page
// defines "main"; files that begin with an underscore are parts for all.
func parsePages(funcs template.FuncMap) (map[string]*template.Template, error) {
	layout, err := template.New("").Funcs(funcs).ParseFS(pageFiles, "pages/_*.html")
	if err != nil {
		return nil, err
	}
	files, err := fs.Glob(pageFiles, "pages/[^_]*.html")
	if err != nil {
		return nil, err
	}
	pages := make(map[string]*template.Template)
	for _, file := range files {
		t, err := layout.Clone()
		if err == nil {
			t, err = t.ParseFS(pageFiles, file)
		}
		if err != nil {
			return nil, err
		}
		pages[strings.TrimSuffix(path.Base(file), ".html")] = t
	}
	return pages, nil
}

// functions are what templates call.
func (c *Console) functions() template.FuncMap {
	return template.FuncMap{
		"asset":      func(name string) string { return "/console/assets/" + name + "?v=" + assetVersion(name) },
		"since":      func(t time.Time) string { return since(c.Now(), t) },
		"stamp":      func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
		"iso":        func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"path":       pathOf,
		"navigation": navigation,
		"count":      count,
		"plural":     plural,
		"brief":      brief,
	}
}

// render makes the bytes of a page; part is "page", or "main" for what is within
// the layout.
func (c *Console) render(r *http.Request, v *visit, p page, part string) ([]byte, error) {
	t, ok := c.pages[p.name]
	if !ok {
		return nil, fmt.Errorf("console: there is no page %q", p.name)
	}
	s := shown{page: p, Here: r.URL.Path, Live: p.live, Done: doneText(r.URL.Query().Get("done"))}
	if v != nil && v.session.KeyID != "" {
		s.SignedIn, s.Account, s.Region, s.Key = true, v.session.Account, v.session.Region, v.session.KeyID
		s.CSRF = c.sessions.formToken(v.session)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, part, s); err != nil {
		return nil, fmt.Errorf("console: page %s: %w", p.name, err)
	}
	return b.Bytes(), nil
}

// show sends a page in one piece.
func (c *Console) show(w http.ResponseWriter, r *http.Request, v *visit, p page) {
	body, err := c.render(r, v, p, "page")
	if err != nil {
		c.Log.ErrorContext(r.Context(), "render a page", "error", err)
		http.Error(w, "Something went wrong here. The server's log says what.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(max(p.status, http.StatusOK))
	if _, err := w.Write(body); err != nil {
		c.Log.DebugContext(r.Context(), "the browser went away", "error", err)
	}
}

// assetTypes are the files that pages load.
func assetTypes() map[string]string {
	return map[string]string{"style.css": "text/css; charset=utf-8", "live.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml"}
}

// asset serves a file of ours. Its address changes with its bytes.
func (c *Console) asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	kind, ok := assetTypes()[name]
	data, err := assetFiles.ReadFile("assets/" + name)
	if !ok || err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	if _, err := w.Write(data); err != nil { //nolint:gosec // a file of the binary, with its own type
		c.Log.DebugContext(r.Context(), "the browser went away", "error", err)
	}
}

func assetVersion(name string) string {
	data, err := assetFiles.ReadFile("assets/" + name)
	if err != nil {
		return ""
	}
	h := fnv.New64a()
	_, _ = h.Write(data)
	return strconv.FormatUint(h.Sum64(), 36)
}

// since says how long ago a time was, in words.
func since(now, t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	d, suffix := now.Sub(t), " ago"
	if d < 0 {
		d, suffix = -d, " from now"
	}
	for _, unit := range units() {
		if n := int64(d / unit.size); n == 1 {
			return "1 " + unit.name + suffix
		} else if n > 1 {
			return strconv.FormatInt(n, 10) + " " + unit.name + "s" + suffix
		}
	}
	return "just now"
}

// unit is what lengths of time are told in.
type unit struct {
	size time.Duration
	name string
}

func units() []unit {
	return []unit{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}}
}

// count writes a number with a space between thousands.
func count(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "\u202f" + text[i:]
	}
	return text
}

func plural(n int64, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// place is a page in the navigation.
type place struct {
	Name, Path string
	Current    bool
}

// navigation is the pages that every page leads to.
func navigation(here string) []place {
	all := []place{
		{Name: "Overview", Path: home}, {Name: "Applications", Path: home + "apps"},
		{Name: "User access", Path: home + "user-access"}, {Name: "Trail", Path: home + "trail"},
	}
	for i, p := range all {
		all[i].Current = here == p.Path || p.Path != home && strings.HasPrefix(here, p.Path+"/")
	}
	return all
}
