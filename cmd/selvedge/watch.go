package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"selvedge/internal/fabric"
	"selvedge/internal/metric"
	"selvedge/internal/notify"
)

// notifier makes the duty that tells of changes.
func (v *server) notifier() *notify.Notifier {
	return notify.New(notify.Options{
		Store: v.store, URL: v.settings.WebhookURL, Keys: v.settings.WebhookKeys, Timeout: notify.Timeout, Now: time.Now, Log: v.log,
		Observe: func(t fabric.NotificationType, o notify.Outcome) { v.metrics.Notified(string(t), string(o)) },
	})
}

// scrapes answers Prometheus at an address of its own. Nil answers nobody.
type scrapes struct {
	listener net.Listener
	http     *http.Server
}

// listenForScrapes takes the address; empty: there is none.
func listenForScrapes(ctx context.Context, address string, m *metric.Metrics, log *slog.Logger) (*scrapes, error) {
	if address == "" {
		return nil, nil //nolint:nilnil // none is what an empty setting means
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%w: choose another address with --metrics-listen", err)
	}
	log.InfoContext(ctx, "metrics", "url", "http://"+l.Addr().String()+"/metrics")
	handler := m.Handler()
	return &scrapes{l, &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/metrics" {
				writeText(w, http.StatusNotFound, "the metrics are at /metrics")
				return
			}
			handler.ServeHTTP(w, r)
		}),
		ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}}, nil
}

// serve answers until close, which comes last: the metrics show how all else ends.
func (s *scrapes) serve(log *slog.Logger) {
	if s == nil {
		return
	}
	if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		log.Error("metrics are not served any more", "error", err)
	}
}

// close ends serve, and what it answers at the moment. It may be called again.
func (s *scrapes) close() error {
	if s == nil {
		return nil
	}
	err := errors.Join(s.http.Close(), s.listener.Close())
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
