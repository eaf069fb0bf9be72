package console

import (
	"crypto/subtle"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"selvedge/internal/fabric"
)

const home = "/console/"

// signInForm is what the sign-in page shows.
type signInForm struct {
	KeyID   string
	Region  string
	Next    string
	Problem string
}

const defaultRegion = "us-east-1"

func signInPage(v *visit) (page, error) {
	return signInWith(signInForm{Region: defaultRegion, Next: localPath(v.r.URL.Query().Get("next"))}, http.StatusOK), nil
}

func signInWith(f signInForm, status int) page {
	return page{name: "signin", status: status, Title: "Sign in", Data: f}
}

// signIn takes an access key. Who is wrong is not told whether the id or the
// secret was; how often one may be wrong is limited by address, which
// behind a proxy is everybody's: who is right comes in all the same.
func signIn(v *visit) (page, error) {
	f := signInForm{
		KeyID: strings.TrimSpace(v.r.PostFormValue("accessKeyId")), Region: strings.TrimSpace(v.r.PostFormValue("region")),
		Next: localPath(v.r.PostFormValue("next")),
	}
	if !isRegion(f.Region) {
		f.Problem = "The Region must look like us-east-1."
		return signInWith(f, http.StatusBadRequest), nil
	}
	source, _, err := net.SplitHostPort(v.r.RemoteAddr)
	if err != nil {
		source = v.r.RemoteAddr
	}
	k, ok, err := v.Keys(v.r.Context(), f.KeyID)
	if err != nil {
		return page{}, err
	}
	given := strings.TrimSpace(v.r.PostFormValue("secretAccessKey"))
	if !ok || subtle.ConstantTimeCompare([]byte(given), []byte(k.Secret)) != 1 {
		if wait := v.tries.wait(v.Now(), source); wait > 0 {
			return page{}, &fabric.Error{
				Kind: fabric.Throttled, RetryAfter: wait, Message: "There were too many attempts that failed. Wait a minute, then try again.",
			}
		}
		v.tries.failed(v.Now(), source)
		v.Log.WarnContext(v.r.Context(), "a sign-in to the console was refused", "source", v.r.RemoteAddr)
		f.Problem = "This access key and secret do not belong together, or the key was revoked."
		return signInWith(f, http.StatusForbidden), nil
	}
	if err := v.sessions.give(v.w, v.sessions.begin(k, f.Region)); err != nil {
		return page{}, err
	}
	v.Log.InfoContext(v.r.Context(), "signed in to the console", "access_key_id", k.ID, "source", v.r.RemoteAddr)
	return redirect(f.Next)
}

func signOut(v *visit) (page, error) {
	if err := v.sessions.give(v.w, session{}); err != nil {
		return page{}, err
	}
	return redirect("/console/sign-in")
}

// changeRegion goes on in another Region, with the same key.
func changeRegion(v *visit) (page, error) {
	region := strings.TrimSpace(v.r.PostFormValue("region"))
	if !isRegion(region) {
		return page{}, fabric.InvalidField("region", "must look like us-east-1")
	}
	v.session.Region = region
	if err := v.sessions.give(v.w, v.session); err != nil {
		return page{}, err
	}
	return redirect(home)
}

func isRegion(text string) bool {
	return regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]{1,2}$`).MatchString(text)
}

// signInPath is the sign-in page that leads back to an address.
func signInPath(from *url.URL) string {
	if from.Path == home {
		return "/console/sign-in"
	}
	return "/console/sign-in?next=" + url.QueryEscape(from.RequestURI())
}

// localPath is the address if it is one of the console's, else its first page:
// nobody is led elsewhere by a link to the sign-in page.
func localPath(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" || strings.ContainsAny(to, "\\\r\n\t") ||
		!strings.HasPrefix(u.Path, home) || strings.Contains(u.Path, "//") || strings.Contains(u.Path, "..") {
		return home
	}
	return to
}
