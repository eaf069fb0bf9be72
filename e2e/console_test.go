package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp/kb"

	"selvedge/simulator"
)

// TestConsole drives the console with a browser, against the real binary and the
// simulated applications.
func TestConsole(t *testing.T) {
	t.Parallel()
	browser := chromium(t)
	for name, test := range map[string]func(*testing.T, context.Context){
		"path": consolePath, "path without scripts": consolePathWithoutScripts, "client credentials": consoleClientCredentials,
		"keyboard": consoleKeyboard, "framed": consoleFramed,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from := time.Now()
			test(t, browser)
			t.Logf("it took %.1f s", time.Since(from).Seconds())
		})
	}
}

// consoleServer is a server with the simulated applications, and a page of a
// browser for its console.
func consoleServer(t *testing.T, browser context.Context) (*simulator.Server, *process, *tab) {
	t.Helper()
	sim, origins := allSimulated(t)
	p := serve(t, t.TempDir(), "--listen", "127.0.0.1:0", "--origins", origins, "--poll-interval", "1s")
	return sim, p, newTab(t, browser, p)
}

func consolePath(t *testing.T, browser context.Context) {
	sim, p, b := consoleServer(t, browser)
	walk{sim, p, b, b.look, b.stays}.all(t)
	if b.streams() == 0 {
		t.Error("no page kept itself up to date")
	}
}

// consolePathWithoutScripts is the same with scripts off: pages show what is new
// when they are loaded again.
func consolePathWithoutScripts(t *testing.T, browser context.Context) {
	sim, p, b := consoleServer(t, browser)
	command(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	walk{sim, p, b, func(string) {}, b.reloads}.all(t)
	if n := b.streams(); n != 0 {
		t.Errorf("scripts are on: %d pages kept themselves up to date", n)
	}
}

// walk is a person's way through the console.
type walk struct {
	sim  *simulator.Server
	p    *process
	b    *tab
	look func(page string)                // at each page
	sees func(what string, change func()) // a page that changes
}

func (w walk) all(t *testing.T) {
	t.Helper()
	account := must[simulator.Account](t)(w.sim.Account("OKTA"))
	if _, err := w.sim.Emit("OKTA", 40, 0); err != nil {
		t.Fatal(err)
	}
	w.b.open(w.p.console)
	w.b.arrives("Sign in")
	w.look("sign-in")
	w.b.signIn(w.p)
	w.b.sees("Connect the first application")
	w.look("overview-empty")
	w.connects(account)
	w.collects(t)
	w.searches(account)
	w.ends()
}

// connects goes from the list of applications to a connection.
func (w walk) connects(account simulator.Account) {
	b := w.b
	b.click("Applications")
	b.arrives("Applications")
	w.look("applications")
	b.click("Connect Okta")
	b.arrives("Connect Okta")
	w.look("connect")
	b.fill("Okta domain", account.Tenant)
	b.fill("Display name", "Acme")
	b.fill("Client ID", account.ClientID)
	b.fill("Client secret", account.ClientSecret)
	b.click("Save and go on")
	b.arrives("Okta: Acme")
	b.sees("Saved. One step is left before it is connected.")
	w.look("authorization-pending")
	b.click("Sign in at Okta")
	b.sees("asks for access")
	b.click("Allow access")
	b.arrives("Connected")
	w.look("callback")
	b.click("Go on in the console")
	b.arrives("Okta: Acme")
	b.sees("Next: Collect the audit log")
	w.look("authorization")
}

// collects goes from a connection to events on screen.
func (w walk) collects(t *testing.T) {
	t.Helper()
	b := w.b
	b.click("Collect the audit log")
	b.arrives("Add a destination")
	w.look("destination-new")
	b.fill("Bucket name", bucket)
	b.fill("Prefix", "okta")
	b.click("Add the destination")
	b.arrives("Audit log of Okta: demo.okta.com")
	b.sees("The destination is added.")
	const read = `[...document.querySelectorAll("details td.number")].reduce((n, e) => n + Number(e.textContent.replace(/\D/g, "")), 0)`
	w.sees(read+" == 40", func() {})
	var ids []string
	w.sees(read+" == 47", func() { ids = must[[]string](t)(w.sim.Emit("OKTA", 7, 0)) })
	w.look("ingestion")
	w.delivered(t)

	b.click("Look at the last events")
	b.until(`document.querySelectorAll("section.event").length > 0`)
	b.sees("Raw", "OCSF", `"class_uid"`)
	for _, id := range ids {
		b.until(`[...document.querySelectorAll("section.event")].some(e => e.textContent.includes(` + quoted(id) + `))`)
	}
	w.look("events")

	b.click("the whole event")
	b.until(`document.querySelectorAll("section.event").length == 1`)
	const uid = `JSON.parse(document.querySelectorAll("pre")[0].textContent).uuid`
	b.until(`JSON.parse(document.querySelectorAll("pre")[1].textContent).metadata.uid == ` + uid)
	if id := must[string](t)(ask[string](b, uid)); !slices.Contains(ids, id) {
		t.Errorf("the newest event is %s, want one of %v", id, ids)
	}
	w.look("event")
}

// delivered says whether the bucket has what the page shows.
func (w walk) delivered(t *testing.T) {
	t.Helper()
	objects := collection{dir: w.p.dir + "/buckets/" + bucket + "/okta"}
	eventually(t, patience, "events are delivered", func() error {
		if n := len(objects.linesBelow(t, "/OCSF/JSON/")); n != 47 {
			return fmt.Errorf("%d of 47 events", n)
		}
		return nil
	})
}

// searches looks for a user, and for what was done so far.
func (w walk) searches(account simulator.Account) {
	b := w.b
	b.click("User access")
	b.arrives("User access")
	w.look("user-access")
	b.fill("E-mail address", account.User)
	b.click("Search")
	b.arrives("User access: results")
	w.sees(`document.body.innerText.includes("access to 1 application.")`, func() {})
	w.look("user-access-results")
	b.click("Trail")
	b.arrives("Trail")
	b.sees("StartUserAccessTasks")
	w.look("trail")
	for _, operation := range []string{"CreateAppBundle", "CreateAppAuthorization", "ReadEvents"} {
		b.fill("Operation", operation)
		b.click("Show")
		b.until(`location.search.includes(` + quoted(operation) + `) && document.querySelectorAll("ul.records li").length > 0 &&
			[...document.querySelectorAll("ul.records .what")].every(e => e.innerText == ` + quoted(operation) + `)`)
	}
	b.click("Overview")
	b.arrives("Overview")
	b.sees("Okta", "Nothing to do")
	w.look("overview")
}

// ends takes everything away again, and signs out.
func (w walk) ends() {
	b := w.b
	b.click("Okta")
	b.arrives("Okta: Acme")
	b.sees("Delete the ingestion")
	b.click("Look at its ingestion")
	b.arrives("Audit log of Okta: demo.okta.com")
	b.click("S3 bucket " + bucket + "/okta")
	b.sees("Deliver elsewhere")
	w.look("destination")
	b.click("Okta: demo.okta.com")
	b.arrives("Audit log of Okta: demo.okta.com")
	b.click("Stop")
	b.sees("The ingestion is stopped.")
	b.click("Delete this ingestion")
	b.click("Yes, delete it")
	b.click("Delete")
	b.sees("The ingestion is deleted.")
	b.open(w.p.console)
	b.click("Okta")
	b.arrives("Okta: Acme")
	b.click("Delete this authorization")
	b.click("Yes, delete it")
	b.click("Delete")
	b.sees("The app authorization is deleted.", "Connect the first application")
	b.click("Sign out")
	b.arrives("Sign in")
	b.open(w.p.console)
	b.arrives("Sign in")
}

// stays waits for an expression to become true of the page as it is, which nobody
// loads again.
func (b *tab) stays(expression string, change func()) {
	b.t.Helper()
	b.until(`document.querySelector("main[data-live]") && (window.same = true)`)
	change()
	b.until("window.same && " + expression)
}

// reloads waits for an expression to become true when the page is loaded again.
func (b *tab) reloads(expression string, change func()) {
	b.t.Helper()
	change()
	address := must[string](b.t)(ask[string](b, "location.href.replace(location.hash, '')")) // with a hash nothing is loaded
	eventually(b.t, patience, expression, func() error {
		b.open(address)
		ok, err := ask[bool](b, expression)
		if err == nil && !ok {
			err = fmt.Errorf("%s does not show it", address)
		}
		return err
	})
}

// consoleClientCredentials connects an application where nobody consents.
func consoleClientCredentials(t *testing.T, browser context.Context) {
	sim, p, b := consoleServer(t, browser)
	account := must[simulator.Account](t)(sim.Account("ZOOM"))
	b.signIn(p)
	b.open(p.console + "apps/zoom/connect")
	b.arrives("Connect Zoom")
	b.fill("Account ID", account.Tenant)
	b.fill("Client ID", account.ClientID)
	b.fill("Client Secret", account.ClientSecret)
	b.click("Save and go on")
	b.arrives("Zoom: " + account.Tenant)
	b.click("Connect")
	b.sees("Connected: the audit log can be read.", "Next: Collect the audit log")
}

// consoleKeyboard connects Terraform Cloud, by its key, without a mouse.
func consoleKeyboard(t *testing.T, browser context.Context) {
	sim, p, b := consoleServer(t, browser)
	account := must[simulator.Account](t)(sim.Account("TERRAFORMCLOUD"))
	key := p.credentials(t)
	b.open(p.console)
	b.until(`document.activeElement.id == "accessKeyId"`) // nobody must look for it
	b.keys(key["aws_access_key_id"] + kb.Tab + key["aws_secret_access_key"] + kb.Enter)
	b.arrives("Overview")

	// The first thing that the keyboard reaches leads past the rest.
	b.tabTo("Skip to the content")
	b.keys(kb.Enter)
	b.until(`document.activeElement.id == "main"`)
	b.tabTo("Choose an application")

	b.open(p.console)
	b.arrives("Overview")
	for _, name := range []string{"Skip to the content", "Selvedge", "Overview", "Applications"} {
		b.tabTo(name)
	}
	b.keys(kb.Enter)
	b.arrives("Applications")
	b.open(p.console + "apps/terraformcloud/connect")
	b.arrives("Connect Terraform Cloud")
	for _, name := range []string{
		"Skip to the content", "Selvedge", "Overview", "Applications", "User access", "Trail", "Region", "Change", "Sign out", "Applications", "Organization",
	} {
		b.tabTo(name)
	}
	b.keys(account.Tenant)
	b.tabTo("Display name")
	b.keys("Example")
	b.tabTo("Organization token")
	b.keys(account.APIKey + kb.Enter)
	b.arrives("Terraform Cloud: Example")
	b.until(`[...document.querySelectorAll("button")].some(e => e.innerText == "Connect" && (e.focus(), true))`)
	b.keys(kb.Enter)
	b.sees("Connected: the audit log can be read.")
}

// tabTo presses the tabulator once, and expects the thing of that name to have the
// keyboard then, where a person sees it.
func (b *tab) tabTo(name string) {
	b.t.Helper()
	b.keys(kb.Tab)
	b.until(`(e => (e.labels?.[0]?.innerText ?? e.innerText).trim() == ` + quoted(name) + ` && getComputedStyle(e).outlineStyle != "none"
		&& e.getBoundingClientRect().left >= 0)(document.activeElement)`)
}

// consoleFramed puts the console into a frame of another site, which the browser
// refuses to show; a page of that site's own it shows.
func consoleFramed(t *testing.T, browser context.Context) {
	p := serve(t, t.TempDir(), "--listen", "127.0.0.1:0")
	b := newTab(t, browser, p)
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/own" {
			fmt.Fprint(w, "<h1>a frame</h1>")
			return
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<iframe src="/own"></iframe><iframe src="%s"></iframe><iframe src="%s"></iframe>`, p.console+"sign-in", p.url+"/appfabric/oauth2")
	}))
	t.Cleanup(site.Close)
	b.open(strings.Replace(site.URL, "127.0.0.1", "site.localhost", 1))
	b.until(`frames.length == 3 && frames[0].document.body.innerText == "a frame"`)
	refused := 0
	eventually(t, patience, "the browser refuses both frames", func() error {
		for _, text := range b.heard() {
			if strings.Contains(text, "Framing '"+p.url+"/'") && strings.Contains(text, "frame-ancestors 'none'") {
				refused++
			}
		}
		if refused != 2 {
			return fmt.Errorf("it refuses %d", refused)
		}
		return nil
	})
}
