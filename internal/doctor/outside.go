package doctor

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"selvedge/connector"
	"selvedge/internal/store"
	"selvedge/sink"
)

// The bounds of what is asked for over the network.
const (
	callTime   = 15 * time.Second
	callsOnce  = 8
	maxOrigins = 100
	maxAnswer  = 64 << 10
)

// destinations looks at the buckets and streams of all destinations.
func destinations(ctx context.Context, e *examination) []Finding {
	if e.store == nil {
		return skip("buckets and streams", noDatabase)
	}
	used, err := e.store.UsedPlaces(ctx)
	if err != nil {
		return []Finding{fault("buckets and streams", err.Error(), "see to the database")}
	}
	return each(used, func(p store.UsedPlace) Finding {
		sinks, name, subject := e.Buckets, p.Bucket, "bucket "+p.Bucket
		if p.Stream != "" {
			sinks, name, subject = e.Streams, p.Stream, "stream "+p.Stream
		}
		if sinks == nil {
			return skip(subject, "this kind of place cannot be looked at")[0]
		}
		err := sinks.Look(ctx, p.Region, name)
		switch reason := sink.ReasonOf(err); {
		case err == nil:
			return ok(subject, "is there")
		case errors.Is(err, sink.ErrUnseen):
			return warning(subject, "may not be looked at by the server's AWS identity, which need not be able to",
				"allow it s3:ListBucket on buckets and firehose:DescribeDeliveryStream on streams, or see that deliveries succeed")
		case reason != "":
			return fault(subject, reason, "do what it says; deliveries go on by themselves then")
		default:
			return fault(subject, err.Error(), "see to it; deliveries go on by themselves then")
		}
	})
}

// publicURL sees that the address that users and browsers have leads here.
func publicURL(ctx context.Context, e *examination) []Finding {
	subject := e.PublicURL
	if e.keys == nil {
		return skip(subject, "what this installation is called is not known without its keys")
	}
	running, err := store.IsServed(e.Database.Path)
	if err != nil {
		return []Finding{fault(subject, err.Error(), "run this as the server's user")}
	}
	res, err := get(ctx, e.Web, subject+"/healthz")
	switch {
	case err != nil && !running:
		return skip(subject, "the server is stopped: start it, and run this again")
	case err != nil:
		return []Finding{fault(subject, unreached(err), "see that --public-url is the address that browsers and providers use, and that DNS, firewall and proxy lead from it to the server")}
	case res.header.Get(InstanceHeader) == Instance(e.seed):
		return []Finding{ok(subject, "leads to this installation")}
	case res.status/100 == 3:
		return []Finding{fault(subject, "answers with a redirect to "+origin(res.header.Get("Location")), "set --public-url to where it leads to in the end")}
	}
	return []Finding{fault(subject, fmt.Sprintf("is answered by something else (status %d, and not this installation's name)", res.status),
		"see that --public-url is this server's, and that what is in front of it passes /healthz on")}
}

func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "another place"
	}
	return u.Scheme + "://" + u.Host
}

// providers asks what each application's tokens come from, or what its events
// come from where it has a key instead, for any answer at all.
func providers(ctx context.Context, e *examination) []Finding {
	if e.store == nil {
		return skip("applications", noDatabase)
	}
	used, err := e.store.UsedTenants(ctx)
	if err != nil {
		return []Finding{fault("applications", err.Error(), "see to the database")}
	}
	targets, all := e.targets(used)
	if len(targets) > maxOrigins {
		all = append(all, skip("applications", fmt.Sprintf("of %d addresses the first %d are asked", len(targets), maxOrigins))...)
		targets = targets[:maxOrigins]
	}
	var mu sync.Mutex
	return append(all, each(targets, func(t target) Finding {
		begun := e.Now()
		res, err := get(ctx, e.Providers, t.url)
		took := e.Now().Sub(begun)
		subject := t.app + " at " + origin(t.url)
		if err != nil {
			return fault(subject, unreached(err), "see that DNS, firewall and --proxy-url let the server reach it; a proxy that opens TLS needs its authority among the system's")
		}
		if at, err := http.ParseTime(res.header.Get("Date")); err == nil {
			mu.Lock()
			defer mu.Unlock()
			// The header has whole seconds.
			e.skews = append(e.skews, skew{of: subject, by: at.Add(500 * time.Millisecond).Sub(begun.Add(took / 2)), within: took/2 + 500*time.Millisecond})
		}
		if res.status >= http.StatusInternalServerError {
			return warning(subject, fmt.Sprintf("answers with status %d", res.status), "wait: the provider has a fault, or what is between; the server tries again by itself")
		}
		return ok(subject, "answers")
	})...)
}

// target is what is asked of an application.
type target struct{ app, url string }

// targets are the addresses of the applications in use, each once.
func (e *examination) targets(used []store.UsedTenant) ([]target, []Finding) {
	var targets []target
	var all []Finding
	for _, u := range used {
		i := slices.IndexFunc(e.Apps, func(a connector.App) bool { return a.Name == u.App })
		if i < 0 {
			all = append(all, fault(u.App, "is authorized and is no application that this version knows", "use the version that it was authorized with, or a later one"))
			continue
		}
		auth := e.Apps[i].Auth
		vars, err := auth.Tenant.Vars(u.Tenant)
		if err != nil {
			all = append(all, fault(u.App, err.Error(), "delete the authorization, and make one with the right tenant identifier"))
			continue
		}
		t := target{u.App, connector.Expand(cmp.Or(auth.TokenURL, auth.Origin), vars)}
		if !slices.Contains(targets, t) {
			targets = append(targets, t)
		}
	}
	return targets, all
}

// maxSkew is how far a clock may be off. AWS refuses signatures that are some
// minutes old, and sign-in servers assertions that are not valid yet.
const maxSkew = 30 * time.Second

// clock compares this machine's with those that were met.
func clock(_ context.Context, e *examination) []Finding {
	if e.condition.Server > 0 {
		e.skews = append(e.skews, skew{"the database", e.condition.Skew, e.condition.Within})
	}
	if len(e.skews) == 0 {
		return skip("clock", "there is no other one to compare it with")
	}
	var all []Finding
	for _, s := range e.skews {
		if s.by.Abs() > maxSkew+s.within {
			all = append(all, fault("clock", fmt.Sprintf("%s is %v off this machine's", s.of, s.by.Round(time.Second)),
				"let both machines set their clocks by NTP (systemd-timesyncd, chrony)"))
		}
	}
	if len(all) == 0 {
		all = append(all, ok("clock", fmt.Sprintf("agrees with that of %s", e.skews[0].of)))
	}
	return all
}

// each looks at several things at once; the findings are in their order.
func each[T any](things []T, look func(T) Finding) []Finding {
	all := make([]Finding, len(things))
	turns := make(chan struct{}, callsOnce)
	var wg sync.WaitGroup
	for i, thing := range things {
		turns <- struct{}{}
		wg.Go(func() {
			all[i] = look(thing)
			<-turns
		})
	}
	wg.Wait()
	return all
}

// answer is what is looked at of one.
type answer struct {
	status int
	header http.Header
}

// get makes one call and follows nothing.
func get(ctx context.Context, through http.RoundTripper, address string) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return answer{}, err
	}
	res, err := through.RoundTrip(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, io.LimitReader(res.Body, maxAnswer))
	return answer{res.StatusCode, res.Header}, err
}

// unreached says in words how far a call came.
func unreached(err error) string {
	var dns *net.DNSError
	var untrusted x509.UnknownAuthorityError
	var host x509.HostnameError
	switch {
	case errors.As(err, &dns):
		return "the name " + dns.Name + " is not found"
	case errors.As(err, &untrusted), errors.As(err, &host):
		return "its certificate is not trusted: " + err.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("does not answer within %v", callTime)
	}
	return "cannot be reached: " + err.Error()
}
