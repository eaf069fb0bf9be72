package firehose_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"selvedge/internal/awstest"
	"selvedge/sink"
)

func TestLook(t *testing.T) {
	t.Parallel()
	p := moto(t)
	if err := p.sink.Look(t.Context(), awstest.Region, stream().Name); err != nil {
		t.Errorf("a stream that is there: %v", err)
	}
	if err := p.sink.Look(t.Context(), awstest.Region, "none"); sink.KindOf(err) != sink.Refused || !strings.Contains(sink.ReasonOf(err), "none does not exist") {
		t.Errorf("no stream: %v", err)
	}
	for _, c := range p.Calls() {
		if target := c.Header.Get("X-Amz-Target"); !strings.HasSuffix(target, ".DescribeDeliveryStream") {
			t.Errorf("looking calls %s", target)
		}
	}
}

func TestLookAnswers(t *testing.T) {
	t.Parallel()
	p := open(t, http.NotFoundHandler())
	for _, code := range []string{"AccessDeniedException", ""} {
		p.Fault(answer(http.StatusForbidden, code))
		if err := p.sink.Look(t.Context(), awstest.Region, "s"); !errors.Is(err, sink.ErrUnseen) {
			t.Errorf("403 %s: %v", code, err)
		}
	}
	p.Fault(func(_ awstest.Call, w http.ResponseWriter, _ http.Handler) {
		_, _ = w.Write([]byte(`{"DeliveryStreamDescription":{"DeliveryStreamStatus":"CREATING_FAILED"}}`))
	})
	if err := p.sink.Look(t.Context(), awstest.Region, "s"); !strings.Contains(sink.ReasonOf(err), "CREATING_FAILED") {
		t.Errorf("a stream that is not active: %v", err)
	}
	p.Fault(answer(http.StatusInternalServerError, "InternalFailure"))
	if err := p.sink.Look(t.Context(), awstest.Region, "s"); !strings.Contains(sink.ReasonOf(err), "is not available") {
		t.Errorf("a fault of Firehose's: %v", err)
	}
}
