package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"time"

	"selvedge/connector/all"
	"selvedge/internal/config"
	"selvedge/internal/doctor"
	"selvedge/internal/outbound"
	"selvedge/internal/store"
	"selvedge/sink"
)

// doctorCmd looks at how a server is set up. It takes the settings that the
// server takes, from the same places.
type doctorCmd struct {
	config.Flags
	JSON bool `name:"json" help:"Print JSON."`
}

// Run prints what it finds. A fault makes the exit status 1.
func (c doctorCmd) Run(ctx context.Context, w world) error {
	found, err := c.examine(ctx, w)
	if err != nil {
		return err
	}
	if c.JSON {
		err = show(w.stdout, map[string]any{"healthy": doctor.Healthy(found), "findings": found})
	} else {
		err = showFindings(w.stdout, found)
	}
	if err != nil {
		return err
	}
	if !doctor.Healthy(found) {
		return errors.New("something is wrong: what it is, and what to do about it, is above")
	}
	return nil
}

// examine looks at everything, or only says that the settings cannot be read.
func (c doctorCmd) examine(ctx context.Context, w world) ([]doctor.Finding, error) {
	s, warnings, err := settings(c.Flags, w)
	if err != nil {
		return []doctor.Finding{{ //nolint:nilerr // the finding says it
			Check: "settings", Subject: "settings", Status: doctor.Fault, Detail: err.Error(), Remedy: "correct it: no server starts with it",
		}}, nil
	}
	set := doctor.Setup{
		Warnings: warnings, Files: ownFiles(s), TLSCert: s.TLSCert, TLSKey: s.TLSKey,
		Database: store.Options{URL: s.DatabaseURL.Reveal(), Path: filepath.Join(s.DataDir, "selvedge.db")}, DataDir: s.DataDir,
		Free: freeDisk, FreeFloor: s.FreeDisk, MasterKeyFile: s.MasterKeyFile,
		PublicURL: s.PublicURLAt(address(s.Listen)), Apps: all.Apps(), Now: time.Now,
		Providers: outbound.New(outbound.Options{Origins: s.Origins, ProxyURL: s.ProxyURL, Log: slog.New(slog.DiscardHandler)}),
	}
	if set.Web, err = trusting(variables(w.environ)["AWS_CA_BUNDLE"]); err != nil {
		return nil, err
	}
	if set.KMS, err = awsKeys(ctx, s); err != nil {
		return nil, err
	}
	to, err := openPlaces(ctx, s, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	set.Buckets, _ = to.buckets.(sink.Looker)
	set.Streams, _ = to.streams.(sink.Looker)
	return doctor.Examine(ctx, set)
}

// ownFiles are the files that a server keeps or needs.
func ownFiles(s config.Settings) []doctor.File {
	all := []doctor.File{
		{Path: s.DataDir, Folder: true},
		{Path: credentialsFile(s)},
		{Path: s.MasterKeyFile},
		{Path: filepath.Join(s.DataDir, "custody"), Folder: true, Optional: true},
	}
	if s.DatabaseURL == "" {
		all = append(all, doctor.File{Path: filepath.Join(s.DataDir, "selvedge.db")})
	}
	if s.TLSKey != "" {
		all = append(all, doctor.File{Path: s.TLSKey, Shared: true})
	}
	if s.TrailFile != "" {
		all = append(all, doctor.File{Path: s.TrailFile, Optional: true})
	}
	return all
}

// address is where a server listens, as a setting says it.
type address string

func (address) Network() string  { return "tcp" }
func (a address) String() string { return string(a) }

// showFindings prints what is wrong with what to do, and a line for what is not.
func showFindings(out io.Writer, all []doctor.Finding) error {
	for _, f := range all {
		if _, err := fmt.Fprintf(out, "%-8s %-12s %s: %s\n", f.Status, f.Check, f.Subject, f.Detail); err != nil {
			return err
		}
		if f.Remedy == "" {
			continue
		}
		if _, err := fmt.Fprintf(out, "%-8s %-12s -> %s\n", "", "", f.Remedy); err != nil {
			return err
		}
	}
	return nil
}
