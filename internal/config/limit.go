package config

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// Quotas limits resources per account and Region, destinations per ingestion.
// Zero: any number.
type Quotas struct {
	Bundles        int
	Authorizations int
	Ingestions     int
	Destinations   int
}

// maxQuota bounds a quota: whoever wants more wants none.
const maxQuota = 1_000_000

// awsQuotas are AWS's own, which it raises for nobody
// (https://docs.aws.amazon.com/general/latest/gr/appfabric.html, checked
// 2026-11-22).
func awsQuotas() Quotas {
	return Quotas{Bundles: 1, Authorizations: 50, Ingestions: 50, Destinations: 5}
}

const wantQuotas = "want aws, or a list such as bundles=3,authorizations=1000,ingestions=1000,destinations=5"

func setQuotas(s *Settings, text string) error {
	if text == "aws" {
		s.Quotas = awsQuotas()
		return nil
	}
	var q Quotas
	limits := map[string]*int{
		"bundles": &q.Bundles, "authorizations": &q.Authorizations, "ingestions": &q.Ingestions, "destinations": &q.Destinations,
	}
	for part := range strings.SplitSeq(text, ",") {
		name, number, ok := strings.Cut(strings.TrimSpace(part), "=")
		limit := limits[name]
		if !ok || limit == nil {
			return fmt.Errorf("%q is no quota: %s", part, wantQuotas)
		}
		if *limit != 0 {
			return fmt.Errorf("%s is given more than once: %s", name, wantQuotas)
		}
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 || n > maxQuota {
			return fmt.Errorf("%q is no number of %s from 1 to %d: leave %s out for any number", number, name, maxQuota, name)
		}
		*limit = n
	}
	s.Quotas = q
	return nil
}

// Throttle limits how often each account may call each operation. The zero
// Throttle limits nothing.
type Throttle struct {
	Rate  float64 // calls a second
	Burst int     // calls at once
}

// The rates that make sense: from a call in 1000 seconds to more than a server
// answers.
const (
	minRate  = 0.001
	maxRate  = 1_000_000
	maxBurst = 1_000_000
)

func setThrottle(s *Settings, text string) error {
	first, second, ok := strings.Cut(text, ":")
	rate, err := strconv.ParseFloat(first, 64)
	inRange := rate >= minRate && rate <= maxRate // which NaN is not
	burst, burstErr := strconv.Atoi(second)
	if !ok || err != nil || !inRange || burstErr != nil || burst < 1 || burst > maxBurst {
		return fmt.Errorf("%q is no limit: want RATE:BURST, calls a second (%v to %d) and calls at once (1 to %d), such as 50:100",
			text, minRate, maxRate, maxBurst)
	}
	s.Throttle = Throttle{Rate: rate, Burst: burst}
	return nil
}

// setRawLimit: a page may have 64 MiB, so that less would stop at the first.
func setRawLimit(s *Settings, text string) (err error) {
	s.RawLimit, err = size(text, 64<<20)
	return err
}

func setFreeDisk(s *Settings, text string) (err error) {
	s.FreeDisk, err = size(text, 0)
	return err
}

// size reads a number of bytes with a binary unit.
func size(text string, least int64) (int64, error) {
	const most = 1 << 50
	for unit, bytes := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40} {
		number, ok := strings.CutSuffix(text, unit)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(number, 10, 64)
		if err == nil && n >= 0 && n <= most/bytes && n*bytes >= least {
			return n * bytes, nil
		}
	}
	if text == "0" && least == 0 {
		return 0, nil
	}
	return 0, fmt.Errorf("%q is not allowed: want a whole number and a unit (KiB, MiB, GiB or TiB), such as 10GiB, from %dMiB to 1024TiB", text, least>>20)
}

// noTrail is the trail file's name when no trail is wanted.
const noTrail = "none"

func setTrailFile(s *Settings, text string) error {
	s.TrailFile = text
	return checkPath(text)
}

// completeTrail gives the trail its place in the data directory, where no other
// was set, and makes the file's name empty where none is wanted.
func (s *Settings) completeTrail() {
	switch s.TrailFile {
	case "":
		s.TrailFile = filepath.Join(s.DataDir, "trail", "trail.ndjson")
	case noTrail:
		s.TrailFile = ""
	}
}
