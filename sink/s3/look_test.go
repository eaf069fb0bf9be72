package s3_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"selvedge/internal/awstest"
	"selvedge/sink"
	"selvedge/sink/s3"
)

func TestLook(t *testing.T) {
	t.Parallel()
	p := fake(t)
	s := s3.New(p.Config())
	if err := s.Look(t.Context(), awstest.Region, bucket); err != nil {
		t.Errorf("a bucket that is there: %v", err)
	}
	if err := s.Look(t.Context(), awstest.Region, "none-such"); sink.KindOf(err) != sink.Refused || !strings.Contains(sink.ReasonOf(err), "none-such does not exist") {
		t.Errorf("no bucket: %v", err)
	}
	for _, c := range p.Calls() {
		if c.Method != http.MethodHead {
			t.Errorf("looking calls %s %s", c.Method, c.URL)
		}
	}
	p.Fault(func(_ awstest.Call, w http.ResponseWriter, _ http.Handler) { w.WriteHeader(http.StatusForbidden) })
	if err := s.Look(t.Context(), awstest.Region, bucket); !errors.Is(err, sink.ErrUnseen) {
		t.Errorf("a bucket that may not be looked at: %v", err)
	}
	p.Fault(func(_ awstest.Call, w http.ResponseWriter, _ http.Handler) {
		w.Header().Set("X-Amz-Bucket-Region", "eu-west-1")
		w.WriteHeader(http.StatusMovedPermanently)
	})
	if err := s.Look(t.Context(), awstest.Region, bucket); !strings.Contains(sink.ReasonOf(err), "eu-west-1") {
		t.Errorf("a bucket of another Region: %v", err)
	}
	p.Fault(func(_ awstest.Call, w http.ResponseWriter, _ http.Handler) {
		w.WriteHeader(http.StatusInternalServerError)
	})
	if err := s.Look(t.Context(), awstest.Region, bucket); sink.KindOf(err) != sink.Unavailable || sink.ReasonOf(err) == "" {
		t.Errorf("a fault of S3's: %v", err)
	}
}
