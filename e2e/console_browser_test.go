package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// chromium starts the browser that a test and its subtests share, and returns the
// context that it lives in.
func chromium(t *testing.T) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(tool(t, "chromium")), chromedp.UserDataDir(t.TempDir()))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // it refuses to run as root otherwise
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, _ = chromedp.NewContext(ctx)
	t.Cleanup(func() { _ = chromedp.Cancel(ctx) })
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start chromium: %v", err)
	}
	return ctx
}

// tab is a page of a browser, with cookies of its own. What a person does with it
// goes by names and labels.
type tab struct {
	t    *testing.T
	ctx  context.Context
	home string // origin of the console

	mu    sync.Mutex
	wrong []string // what the browser complained about on pages of the console
	live  int      // streams of events that pages have opened
}

// newTab opens a page for a console. When the test ends, the browser must have had
// nothing to complain about: no violation of the policy, no error of a script,
// nothing that was loaded from elsewhere.
func newTab(t *testing.T, browser context.Context, p *process) *tab {
	t.Helper()
	b := &tab{t: t, home: p.url}
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext(), chromedp.WithListener(b.hears))
	b.ctx = ctx
	t.Cleanup(cancel)
	command(b, log.Enable, cdp.Empty{})
	command(b, network.Enable, network.EnableParams{})
	b.size(desktop, 900)
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, text := range b.wrong {
			t.Errorf("the browser says: %s", text)
		}
	})
	return b
}

// hears takes down what a browser's user finds in its console only.
func (b *tab) hears(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level != log.EntryLevelInfo && (strings.HasPrefix(e.Entry.URL, b.home) || e.Entry.URL == "") {
			b.wrong = append(b.wrong, fmt.Sprintf("%s: %s: %s (%s)", e.Entry.Source, e.Entry.Level, e.Entry.Text, e.Entry.URL))
		}
	case *runtime.EventExceptionThrown:
		b.wrong = append(b.wrong, fmt.Sprintf("exception at %s: %s", e.ExceptionDetails.URL, e.ExceptionDetails.Text))
	case *runtime.EventConsoleAPICalled:
		b.wrong = append(b.wrong, fmt.Sprintf("console.%s", e.Type))
	case *network.EventRequestWillBeSent:
		if e.Type == network.ResourceTypeEventSource {
			b.live++
		}
		own := strings.HasPrefix(e.Request.URL, b.home) || strings.HasPrefix(e.Request.URL, "data:") // the browser draws fields with them
		if strings.HasPrefix(e.DocumentURL, b.home) && !own {
			b.wrong = append(b.wrong, fmt.Sprintf("%s loads %s", e.DocumentURL, e.Request.URL))
		}
	}
}

// heard empties what was taken down, and returns it.
func (b *tab) heard() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.wrong
	b.wrong = nil
	return all
}

// streams is how many streams of events were opened: by scripts alone.
func (b *tab) streams() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.live
}

// command sends one of the browser's own commands.
func command[P, R any](b *tab, c cdp.Command[P, R], params P) R {
	b.t.Helper()
	result, err := chromedp.Run(b.ctx, func(ctx context.Context, t *chromedp.Target) (R, error) { return cdp.Call(ctx, t, c, params) })
	if err != nil {
		b.t.Fatalf("%T: %v", params, err)
	}
	return result
}

// ask evaluates an expression in the page.
func ask[T any](b *tab, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second) // a page that is being left does not answer
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression))
}

// patience is how long a page may take on a busy machine.
const patience = 30 * time.Second

// until waits for an expression to be true.
func (b *tab) until(expression string) {
	b.t.Helper()
	eventually(b.t, patience, expression, func() error {
		ok, err := ask[bool](b, "document.readyState == 'complete' && !!("+expression+")")
		if err == nil && !ok {
			text, _ := ask[string](b, "location.href + '\\n' + document.body.innerText")
			err = fmt.Errorf("the page is %s", text)
		}
		return err
	})
}

// open goes to an address.
func (b *tab) open(address string) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, chromedp.Navigate(address)); err != nil {
		b.t.Fatalf("open %s: %v", address, err)
	}
}

// arrives waits for the page of that heading.
func (b *tab) arrives(heading string) {
	b.t.Helper()
	b.until("document.querySelector('h1')?.innerText == " + quoted(heading))
}

// sees waits for texts to be on screen.
func (b *tab) sees(texts ...string) {
	b.t.Helper()
	for _, text := range texts {
		b.until("document.body.innerText.includes(" + quoted(text) + ")")
	}
}

func quoted(text string) string { return strconv.QuoteToASCII(text) }

// click presses the first thing on screen that has the name, with the mouse, where
// nothing must lie above it.
func (b *tab) click(name string) {
	b.t.Helper()
	b.press("[...document.querySelectorAll('a, button, summary, label')].find(e => e.checkVisibility() && e.innerText.replace(/\\s+/g, ' ').trim() == " + quoted(name) + ")")
}

// press clicks an element, given by an expression.
func (b *tab) press(element string) {
	b.t.Helper()
	type place struct{ X, Y float64 }
	var at place
	eventually(b.t, patience, "press "+element, func() error {
		text, err := ask[string](b, `(() => {
			const e = `+element+`;
			if (document.readyState != "complete" || !e) return "it is not there: " + location.href + "\n" + document.body.innerText;
			e.focus({preventScroll: true});
			e.scrollIntoView({block: "center", behavior: "instant"});
			const r = e.getClientRects()[0], x = r.x + r.width / 2, y = r.y + r.height / 2, top = document.elementFromPoint(x, y);
			return e.contains(top) ? JSON.stringify({x, y}) : "it is covered by " + top?.outerHTML;
		})()`)
		if err == nil && !strings.HasPrefix(text, "{") {
			err = errors.New(text)
		}
		if err != nil {
			return err
		}
		return json.Unmarshal([]byte(text), &at)
	})
	if err := chromedp.Do(b.ctx, chromedp.MouseClickXY(at.X, at.Y)); err != nil {
		b.t.Fatalf("press %s: %v", element, err)
	}
}

// fill writes into the field with the label.
func (b *tab) fill(label, value string) {
	b.t.Helper()
	b.until(`(() => {
		const label = [...document.querySelectorAll("label")].find(l => l.innerText.trim() == ` + quoted(label) + `);
		label?.control?.focus();
		label?.control?.select();
		return document.activeElement == label?.control;
	})()`)
	command(b, input.InsertText, input.InsertTextParams{Text: value})
}

// keys presses keys, one after the other.
func (b *tab) keys(keys string) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, chromedp.KeyEvent(keys)); err != nil {
		b.t.Fatalf("keys: %v", err)
	}
}

// The widths of windows.
const (
	desktop = 1280
	phone   = 390
)

func (b *tab) size(width, height int64) {
	b.t.Helper()
	command(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width == phone,
	})
}

func (b *tab) scheme(name string) {
	b.t.Helper()
	command(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}, {Name: "prefers-reduced-motion", Value: "reduce"}},
	})
}

// look keeps the page as a picture, light, dark and on a phone, where it must not be
// wider than the screen.
func (b *tab) look(name string) {
	b.t.Helper()
	for _, view := range []struct {
		name, scheme string
		width        int64
	}{{"dark", "dark", desktop}, {"phone", "light", phone}, {"light", "light", desktop}} {
		b.scheme(view.scheme)
		b.size(view.width, 900)
		b.until("innerWidth >= " + strconv.FormatInt(view.width, 10))
		if view.width == phone {
			b.fits(name)
		}
		picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
		if err == nil {
			err = os.WriteFile(filepath.Join(artefacts(b.t), name+"-"+view.name+".png"), picture, 0o600)
		}
		if err != nil {
			b.t.Errorf("picture of %s: %v", name, err)
		}
	}
}

// fits says what is wider than the screen.
func (b *tab) fits(name string) {
	b.t.Helper()
	wide, err := ask[string](b, `document.documentElement.scrollWidth <= `+strconv.Itoa(phone)+` ? "" : [...document.querySelectorAll("body *")]
		.filter(e => e.getBoundingClientRect().right > `+strconv.Itoa(phone)+` && !e.closest(".scroll, .hidden, .skip"))
		.map(e => e.outerHTML.slice(0, 200)).slice(0, 3).join("\n") || "the body"`)
	if err != nil || wide != "" {
		b.t.Errorf("%s is wider than a phone: %v\n%s", name, err, wide)
	}
}

// artefacts is the folder for what a person may look at afterwards.
func artefacts(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("SELVEDGE_TEST_ARTEFACTS")
	if dir == "" {
		return t.ArtifactDir()
	}
	dir = filepath.Join(dir, strings.ReplaceAll(t.Name(), "/", "-"))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// signIn signs in with the root key, at the address that the server printed.
func (b *tab) signIn(p *process) {
	b.t.Helper()
	key := p.credentials(b.t)
	b.open(p.console)
	b.arrives("Sign in")
	b.fill("Access key ID", key["aws_access_key_id"])
	b.fill("Secret access key", key["aws_secret_access_key"])
	b.click("Sign in")
	b.arrives("Overview")
}
