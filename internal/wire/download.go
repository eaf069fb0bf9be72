package wire

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"selvedge/internal/control"
	"selvedge/internal/fabric"
)

// The headers of an answer that is a file, beside its length.
const (
	HeaderSHA256 = "X-Selvedge-Sha256" // in hexadecimal
	HeaderAt     = "X-Selvedge-At"     // time of the state that it has
	HeaderNewest = "X-Selvedge-Newest" // time of the newest object that it knows
)

// TimeFormat is that of times in headers: RFC 3339 to the millisecond.
const TimeFormat = "2006-01-02T15:04:05.000Z07:00"

// stallTime is how long a caller may take for a part of a file.
const stallTime = time.Minute

const filePart = 1 << 20

// download is an answer that is no JSON but a file. What the trail has of it is
// its members.
type download struct {
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	At     string `json:"at"`

	newest string
	body   io.ReadCloser
}

func backup(ctx context.Context, c *control.Control, caller fabric.Caller, _ input) (any, error) {
	made, err := c.Backup(ctx, caller)
	if err != nil {
		return nil, err
	}
	return download{
		Size: made.Size, SHA256: hex.EncodeToString(made.SHA256[:]),
		At: made.At.Format(TimeFormat), newest: made.Newest.Format(TimeFormat), body: made.Body,
	}, nil
}

// downloads says whether an operation answers with a file, which may take longer
// to make and to send than any other answer.
func (op *operation) downloads() bool { return op.name == "Backup" }

// unbound takes the limits of time off a request, where it has any.
func unbound(w http.ResponseWriter) error {
	c := http.NewResponseController(w)
	for _, set := range []func(time.Time) error{c.SetReadDeadline, c.SetWriteDeadline} {
		if err := set(time.Time{}); err != nil && !errors.Is(err, errors.ErrUnsupported) {
			return fmt.Errorf("wire: take the limits of time off: %w", err)
		}
	}
	return nil
}

// send writes a file, part by part, each in its time.
func send(w http.ResponseWriter, status int, d download) error {
	defer d.body.Close()
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Length", strconv.FormatInt(d.Size, 10))
	h.Set(HeaderSHA256, d.SHA256)
	h.Set(HeaderAt, d.At)
	h.Set(HeaderNewest, d.newest)
	w.WriteHeader(status)
	c := http.NewResponseController(w)
	for {
		if err := c.SetWriteDeadline(time.Now().Add(stallTime)); err != nil && !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
		n, err := io.CopyN(w, d.body, filePart)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("after %d bytes: %w", n, err)
		}
	}
}
