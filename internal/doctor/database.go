package doctor

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"selvedge/internal/secret"
	"selvedge/internal/store"
)

func database(ctx context.Context, e *examination) []Finding {
	subject := "PostgreSQL"
	if e.Database.URL == "" {
		subject = e.Database.Path
	}
	s, err := store.Examine(ctx, e.Database)
	if errors.Is(err, fs.ErrNotExist) {
		return []Finding{fault(subject, "is not there", "name the server's data directory with --data-dir, or start the server once, which makes it")}
	}
	if err != nil {
		return []Finding{fault(subject, err.Error(), "see that the database runs, that it can be reached from here, and that the URL and its password are right")}
	}
	e.store = s
	if e.condition, err = s.Condition(ctx); err != nil {
		e.store = nil
		return []Finding{fault(subject, errors.Join(err, s.Close()).Error(), "see that the database is Selvedge's, and that its user may read it")}
	}
	c := e.condition
	switch {
	case c.Unserved != nil:
		return []Finding{fault(subject, c.Unserved.Error(), "do what it says")}
	case c.Has > c.Knows:
		return []Finding{fault(subject, fmt.Sprintf("its schema is %d and this version knows %d: a newer version has made it", c.Has, c.Knows), "use that version or a later one")}
	case c.Has < c.Knows:
		return []Finding{warning(subject, fmt.Sprintf("its schema is %d and this version's is %d", c.Has, c.Knows), "nothing: the next start brings it up to date. Make a backup before it")}
	}
	detail := fmt.Sprintf("answers; its schema is %d, as this version's", c.Has)
	if c.Server > 0 {
		detail += fmt.Sprintf("; the server is PostgreSQL %d", c.Server/10000)
	}
	return []Finding{ok(subject, detail)}
}

func keys(ctx context.Context, e *examination) []Finding {
	subject := e.MasterKeyFile
	if e.store == nil {
		return skip(subject, noDatabase)
	}
	const back = "put back the file that the server was started with before; a replica needs that of the others"
	masters, err := secret.LoadMasters(subject)
	if err != nil {
		return []Finding{fault(subject, err.Error(), back)}
	}
	check, err := e.store.Meta(ctx, store.MetaMasterCheck)
	if errors.Is(err, store.ErrNotFound) {
		return skip(subject, "no server has worked with the database yet")
	}
	if err == nil {
		_, err = masters.InUse(check)
	}
	if err != nil {
		return []Finding{fault(subject, err.Error(), back)}
	}
	ring := secret.New(secret.Options{Masters: masters, Load: e.store.DataKey, Now: e.Now, KMS: e.KMS})
	sealed, err := e.store.Meta(ctx, store.MetaSeed)
	if err == nil {
		e.seed, err = ring.OpenSeed(sealed)
	}
	if err != nil {
		return []Finding{fault(subject, err.Error(), back)}
	}
	e.keys = ring
	marks, err := e.store.KeyMarks(ctx)
	if err != nil {
		return []Finding{fault(subject, err.Error(), "see to the database")}
	}
	if slices.ContainsFunc(marks, ring.MissingMaster) {
		return []Finding{fault(subject, "a part of the database is still under another master key", "put that key's line back, below the new one, and run selvedge rewrap to its end")}
	}
	if !bytes.Equal(ring.Newest(), check) {
		return []Finding{warning(subject, "has a newer key than the one in use", "when all replicas have the file, run selvedge rewrap")}
	}
	return []Finding{ok(subject, "opens the database's keys")}
}

// keyService opens one data key under each KMS key that bundles name.
func keyService(ctx context.Context, e *examination) []Finding {
	if e.store == nil || e.keys == nil {
		return nil
	}
	used, err := e.store.UsedKeys(ctx)
	if err != nil {
		return []Finding{fault("KMS", err.Error(), "see to the database")}
	}
	var all []Finding
	for _, k := range used {
		if _, err := e.keys.Hold(ctx, k.BundleID); err != nil {
			detail := err.Error()
			if why, ok := errors.AsType[*secret.KeyError](err); ok {
				detail = why.Reason
			}
			all = append(all, fault(k.KeyARN, detail, "see that the key is enabled, that KMS can be reached, and that the server's AWS identity has kms:Decrypt on it; "+
				"meanwhile the bundle's work waits and nothing is lost"))
			continue
		}
		all = append(all, ok(k.KeyARN, "opens a data key"))
	}
	return all
}

// Instance is the name of an installation, the same on all of its replicas. It
// tells nothing of the keys that it is derived from.
func Instance(s secret.Seed) string { return hex.EncodeToString(s.Derive("selvedge instance")[:16]) }
