package doctor

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"time"
)

// settings gives what was found when they were read. Those that cannot be read
// are the caller's to tell: then there is no Setup.
func settings(_ context.Context, e *examination) []Finding {
	if len(e.Warnings) == 0 {
		return []Finding{ok("settings", "all are known, and none is wrong")}
	}
	var all []Finding
	for _, w := range e.Warnings {
		all = append(all, warning("settings", w, "correct the setting, or remove it"))
	}
	return all
}

func files(_ context.Context, e *examination) []Finding {
	var all []Finding
	for _, f := range e.Files {
		if finding := f.look(); finding.Status != "" {
			all = append(all, finding)
		}
	}
	return all
}

// look is the finding of one file; without a status, of one that need not be
// there and is not.
func (f File) look() Finding {
	mode, others := "600", fs.FileMode(0o077)
	if f.Folder {
		mode = "700"
	}
	if f.Shared {
		mode, others = "640", 0o027
	}
	info, err := os.Stat(f.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && f.Optional:
		return Finding{}
	case errors.Is(err, fs.ErrNotExist):
		return fault(f.Path, "is not there", "name the right one, or start the server once, which makes it")
	case err != nil:
		return fault(f.Path, err.Error(), "run this as the server's user, and let that user read it")
	case info.IsDir() != f.Folder:
		return fault(f.Path, "is not what it should be: a file for a folder, or the reverse", "move it away")
	case info.Mode().Perm()&others != 0:
		return fault(f.Path, fmt.Sprintf("others may read or change it (mode %04o)", info.Mode().Perm()),
			"chmod "+mode+" it; if somebody may have read a key, replace the key")
	}
	return ok(f.Path, fmt.Sprintf("mode %04o", info.Mode().Perm()))
}

// expires is how long before its end a certificate is spoken of.
const expires = 14 * 24 * time.Hour

func tlsPair(_ context.Context, e *examination) []Finding {
	if e.TLSCert == "" {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(e.TLSCert, e.TLSKey)
	if err != nil {
		return []Finding{fault(e.TLSCert, err.Error(), "give the certificate, with those between it and the root, and its own key, both PEM")}
	}
	until := pair.Leaf.NotAfter.UTC().Format(time.DateTime)
	left := pair.Leaf.NotAfter.Sub(e.Now())
	switch {
	case left <= 0:
		return []Finding{fault(e.TLSCert, "is good for nothing since "+until, "renew it; the server takes the new files by itself")}
	case left < expires:
		return []Finding{warning(e.TLSCert, "is good until "+until, "renew it; the server takes the new files by itself")}
	}
	if u, err := url.Parse(e.PublicURL); err == nil && u.Scheme == "https" {
		if err := pair.Leaf.VerifyHostname(u.Hostname()); err != nil {
			return []Finding{warning(e.TLSCert, err.Error(), "get one for the host of the public URL, unless a proxy in front of the server has its own")}
		}
	}
	return []Finding{ok(e.TLSCert, "is good until "+until)}
}

func disk(_ context.Context, e *examination) []Finding {
	if e.Database.URL != "" || e.store == nil {
		return nil
	}
	free, err := e.Free(e.DataDir)
	switch {
	case err != nil:
		return []Finding{fault(e.DataDir, err.Error(), "let the server's user into the folder")}
	case free < e.FreeFloor:
		return []Finding{fault(e.DataDir, fmt.Sprintf("%d MiB are free, and polling rests with less than %d MiB", free>>20, e.FreeFloor>>20),
			"free some space, or set a lower --free-disk; polling goes on by itself then")}
	}
	return []Finding{ok(e.DataDir, fmt.Sprintf("%d MiB are free", free>>20))}
}
