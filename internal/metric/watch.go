package metric

import (
	"context"
	"time"
)

// DutyState is how the rows of one duty stand.
type DutyState struct {
	Duty    string
	Behind  time.Duration // since the oldest due time that nobody works on; zero: nothing is due
	Held    int           // rows under a lease, of any process
	Expired int           // rows whose lease ran out before the work ended
	Parked  int           // rows put away because their work never ended
	Failing int           // rows whose last attempt failed
}

// WatchDuties adds metrics of how the duties stand, which read tells each time
// that Prometheus asks. It, and each of the others below, is called once.
func (m *Metrics) WatchDuties(read func(ctx context.Context) ([]DutyState, error)) {
	watch(m, "duties", []string{"duty"}, func(s DutyState) []string { return []string{s.Duty} }, []gauge[DutyState]{
		{"duty_behind_seconds", "Since the oldest due time that nobody works on.", func(s DutyState) float64 { return s.Behind.Seconds() }},
		{"duty_held", "Rows under a lease, of any process.", func(s DutyState) float64 { return float64(s.Held) }},
		{"duty_expired_leases", "Rows whose lease ran out before the work ended.", func(s DutyState) float64 { return float64(s.Expired) }},
		{"duty_parked", "Rows put away because their work never ended.", func(s DutyState) float64 { return float64(s.Parked) }},
		{"duty_failing", "Rows whose last attempt failed.", func(s DutyState) float64 { return float64(s.Failing) }},
	}, read)
}

// GapState is the gaps that the streams of an application have.
type GapState struct {
	App    string
	Count  int64
	Length time.Duration // of all together
}

// WatchGaps adds metrics of the gaps that are known.
func (m *Metrics) WatchGaps(read func(ctx context.Context) ([]GapState, error)) {
	watch(m, "gaps", []string{"app"}, func(s GapState) []string { return []string{s.App} }, []gauge[GapState]{
		{"gaps", "Ranges of streams that were not read.", func(s GapState) float64 { return float64(s.Count) }},
		{"gap_seconds", "How long those ranges are together.", func(s GapState) float64 { return s.Length.Seconds() }},
	}, read)
}

// Tally is how many resources of an application have a status.
type Tally struct {
	App    string
	Status string
	Count  int64
}

// WatchAuthorizations adds a metric of app authorizations by their status.
func (m *Metrics) WatchAuthorizations(read func(ctx context.Context) ([]Tally, error)) {
	watchTally(m, "authorizations", "App authorizations, by status.", "status", read)
}

// WatchIngestions adds a metric of ingestions by their state.
func (m *Metrics) WatchIngestions(read func(ctx context.Context) ([]Tally, error)) {
	watchTally(m, "ingestions", "Ingestions, by state.", "state", read)
}

// WatchDestinations adds a metric of ingestion destinations by their status.
func (m *Metrics) WatchDestinations(read func(ctx context.Context) ([]Tally, error)) {
	watchTally(m, "destinations", "Ingestion destinations, by status.", "status", read)
}

func watchTally(m *Metrics, name, help, label string, read func(ctx context.Context) ([]Tally, error)) {
	watch(m, name, []string{"app", label}, func(t Tally) []string { return []string{t.App, t.Status} },
		[]gauge[Tally]{{name, help, func(t Tally) float64 { return float64(t.Count) }}}, read)
}

// BacklogState is what the destinations of an application are owed, once for each
// of them.
type BacklogState struct {
	App     string
	Batches int64
	Bytes   int64
	Age     time.Duration // since the oldest batch was closed
}

// WatchBacklog adds metrics of what is read and not delivered yet.
func (m *Metrics) WatchBacklog(read func(ctx context.Context) ([]BacklogState, error)) {
	watch(m, "backlog", []string{"app"}, func(s BacklogState) []string { return []string{s.App} }, []gauge[BacklogState]{
		{"backlog_batches", "Batches that destinations are owed, once for each.", func(s BacklogState) float64 { return float64(s.Batches) }},
		{"backlog_bytes", "Bytes of the records in those batches.", func(s BacklogState) float64 { return float64(s.Bytes) }},
		{"backlog_age_seconds", "Since the oldest of those batches was closed.", func(s BacklogState) float64 { return s.Age.Seconds() }},
	}, read)
}

// SilenceState is for how long no record has come of the ingestions of an
// application.
type SilenceState struct {
	App     string
	Longest time.Duration // of the one that was heard least recently
	Silent  int64         // those that count as silent
}

// WatchSilence adds metrics of silence.
func (m *Metrics) WatchSilence(read func(ctx context.Context) ([]SilenceState, error)) {
	watch(m, "silence", []string{"app"}, func(s SilenceState) []string { return []string{s.App} }, []gauge[SilenceState]{
		{"silence_seconds", "For how long the ingestion that was heard least recently has had no record.", func(s SilenceState) float64 { return s.Longest.Seconds() }},
		{"ingestions_silent", "Ingestions without a record for as long as --silence-after.", func(s SilenceState) float64 { return float64(s.Silent) }},
	}, read)
}
