//go:build !race

package encode_test

import "testing"

// TestNoAllocations is alone, because it counts; and not with the race detector,
// under which pools forget at random.
func TestNoAllocations(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	n, records := oktaNormalizer(), oktaRecords(t, 64, 5)
	var line []byte
	pass := func() {
		for _, raw := range records {
			line, _ = n.Append(line[:0], "logs", "", raw, closed())
		}
	}
	// The pools may be emptied in between: a few allocations are none of ours.
	if got := testing.AllocsPerRun(20, pass); got > 8 {
		t.Errorf("%v allocations for %d events", got, len(records))
	}
}
