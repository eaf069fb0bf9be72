package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"selvedge/internal/config"
	"selvedge/internal/control"
	"selvedge/internal/secret"
	"selvedge/internal/secret/kms"
	"selvedge/internal/sigv4"
	"selvedge/internal/store"
)

// masterKeys loads the master keys. Where the database has no check value yet,
// a missing file is made.
func masterKeys(s config.Settings, check []byte) (keys secret.Masters, made bool, err error) {
	keys, err = secret.LoadMasters(s.MasterKeyFile)
	if !errors.Is(err, fs.ErrNotExist) {
		return keys, false, err
	}
	if check != nil {
		return nil, false, fmt.Errorf("the master key %s is missing: the database was sealed with it, so put the file back, or on a new replica the file of another", s.MasterKeyFile)
	}
	m, err := secret.CreateMaster(s.MasterKeyFile)
	return secret.Masters{m}, err == nil, err
}

// awsKeys reaches AWS KMS as every AWS SDK does: this is where AWS's own
// variables and files are read. nil: it is not used.
func awsKeys(ctx context.Context, s config.Settings) (secret.KEK, error) {
	if !s.KMS {
		return nil, nil //nolint:nilnil // no KMS is what local:// means
	}
	c, err := awsChain(ctx, "--kms-url aws://")
	if err != nil {
		return nil, err
	}
	return kms.New(c), nil
}

// keyring opens the database's keys with the master keys: the seed, and the
// check value of the key in use. A database without them gets them.
func (v *server) keyring(ctx context.Context, masters secret.Masters, fresh bool) (*secret.Keyring, secret.Seed, error) {
	kek, err := awsKeys(ctx, v.settings)
	if err != nil {
		return nil, secret.Seed{}, err
	}
	keys := secret.New(secret.Options{
		Masters: masters, Load: v.store.DataKey, Now: time.Now, KMS: kek,
		InUse: func(ctx context.Context) ([]byte, error) { return v.store.Meta(ctx, store.MetaMasterCheck) },
	})
	check, from := masters[0].Check(), (*secret.Master)(nil)
	if !fresh {
		if check, err = v.store.Meta(ctx, store.MetaMasterCheck); err != nil {
			return nil, secret.Seed{}, err
		}
		inUse, err := masters.InUse(check)
		if err != nil {
			return nil, secret.Seed{}, err
		}
		from = &inUse // which the hashes of a database without a seed were made with
	}
	kept, sealed, err := v.store.InitMeta(ctx, store.MetaMasterCheck, check, store.MetaSeed, keys.NewSeed(from))
	if err != nil {
		return nil, secret.Seed{}, err
	}
	if _, err := masters.InUse(kept); err != nil {
		return nil, secret.Seed{}, err
	}
	if err := v.covered(ctx, keys); err != nil {
		return nil, secret.Seed{}, err
	}
	seed, err := keys.OpenSeed(sealed)
	return keys, seed, err
}

// covered refuses a master key file from which a key was removed too early.
func (v *server) covered(ctx context.Context, keys *secret.Keyring) error {
	marks, err := v.store.KeyMarks(ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(marks, keys.MissingMaster) {
		return errors.New("a part of the database is still under another master key: put its line back into the file, below the new one, and run selvedge rewrap to its end")
	}
	return nil
}

// credentialsFile is where the root key is, for the AWS clients of this
// machine.
func credentialsFile(s config.Settings) string { return filepath.Join(s.DataDir, "credentials") }

// rootKey returns the root key: that of the environment, or that of the
// credentials file, or, where it may be invented, a new one. Either way the file
// holds it afterwards.
func rootKey(s config.Settings, invent bool) (sigv4.Key, error) {
	path := credentialsFile(s)
	key := sigv4.Key{ID: s.AccessKeyID, Secret: s.SecretAccessKey.Reveal(), Account: s.AccountID}
	kept, err := readCredentials(path, "default")
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return sigv4.Key{}, err
	case key.ID != "" && kept.ID == key.ID && kept.Secret == key.Secret:
		return key, nil
	case key.ID == "" && err == nil:
		kept.Account = s.AccountID
		return kept, nil
	case key.ID == "" && !invent:
		return sigv4.Key{}, fmt.Errorf("no root key is given and the database is in use: set SELVEDGE_ACCESS_KEY_ID and SELVEDGE_SECRET_ACCESS_KEY as on its other replicas, or copy their credentials file to %s", path)
	case key.ID == "":
		id, made := control.NewAccessKey()
		key.ID, key.Secret = id, made.Reveal()
	}
	return key, writePrivate(path, fmt.Sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n", key.ID, key.Secret))
}

// readCredentials reads a profile of a shared-credentials file
// (https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html, checked
// 2026-11-22).
func readCredentials(path, profile string) (sigv4.Key, error) {
	info, err := os.Stat(path)
	if err != nil {
		return sigv4.Key{}, fmt.Errorf("read the access key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return sigv4.Key{}, fmt.Errorf("%s can be read by others (mode %04o): chmod 600 it, and replace the key if somebody may have read it", path, info.Mode().Perm())
	}
	text, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		return sigv4.Key{}, fmt.Errorf("read the access key: %w", err)
	}
	var key sigv4.Key
	section := ""
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if strings.HasPrefix(line, "[") {
			section = line
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok || section != "["+profile+"]" {
			continue
		}
		switch strings.TrimSpace(name) {
		case "aws_access_key_id":
			key.ID = strings.TrimSpace(value)
		case "aws_secret_access_key":
			key.Secret = strings.TrimSpace(value)
		}
	}
	if key.ID == "" || key.Secret == "" {
		return sigv4.Key{}, fmt.Errorf("%s has no [%s] profile with aws_access_key_id and aws_secret_access_key", path, profile)
	}
	return key, nil
}

// writePrivate replaces a file, for its owner alone, in one step.
func writePrivate(path, text string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".credentials-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Chmod(0o600), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}

// dataDir makes the data directory, for its owner alone.
func dataDir(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	return nil
}
