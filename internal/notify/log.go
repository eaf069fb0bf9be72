package notify

import (
	"context"
	"log/slog"
	"time"

	"selvedge/internal/fabric"
)

// line is what the log says of a type of notification.
type line struct {
	level slog.Level
	text  string
}

func lineOf(what fabric.Notification) line {
	lines := map[fabric.NotificationType]line{
		fabric.AuthorizationTurned: {slog.LevelWarn, "an app authorization has another status"},
		fabric.DestinationTurned:   {slog.LevelWarn, "an ingestion destination has another status"},
		fabric.IngestionSilent:     {slog.LevelWarn, "an ingestion is silent"},
		fabric.IngestionHeard:      {slog.LevelInfo, "a silent ingestion is heard again"},
		fabric.GapOpened:           {slog.LevelWarn, "a range of a stream could not be read"},
		fabric.GapHealed:           {slog.LevelInfo, "a range of a stream was read after all"},
	}
	l := lines[what.Type]
	if s := what.Data.Status; s == string(fabric.Connected) || s == string(fabric.Active) {
		l.level = slog.LevelInfo
	}
	return l
}

// log writes the line of a change.
func (n *Notifier) log(ctx context.Context, what fabric.Notification) {
	l, d := lineOf(what), what.Data
	attrs := []slog.Attr{slog.String("notification", what.ID), slog.String("arn", d.ARN), slog.String("app", d.App)}
	for _, a := range []struct{ name, value string }{
		{"status", d.Status}, {"reason", d.Reason}, {"stream", d.Stream}, {"since", stamp(d.Since)}, {"from", stamp(d.From)}, {"to", stamp(d.To)},
	} {
		if a.value != "" {
			attrs = append(attrs, slog.String(a.name, a.value))
		}
	}
	n.o.Log.LogAttrs(ctx, l.level, l.text, attrs...)
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
