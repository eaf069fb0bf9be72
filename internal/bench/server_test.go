package main

import (
	"math"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// TestCPUSeconds compares with what the system says of this process elsewhere.
func TestCPUSeconds(t *testing.T) {
	t.Parallel()
	var use syscall.Rusage
	var total float64
	for total < 0.2 { // more than it is allowed to be wrong by
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
			t.Fatal(err)
		}
		total = (time.Duration(use.Utime.Nano()) + time.Duration(use.Stime.Nano())).Seconds()
	}
	got := cpuSeconds(os.Getpid())
	if runtime.GOOS != "linux" {
		if !math.IsNaN(got) {
			t.Errorf("%g s, and this system does not tell", got)
		}
		return
	}
	if math.IsNaN(got) || math.Abs(got-total) > 0.1 {
		t.Errorf("%g s, want about %g s", got, total)
	}
}
