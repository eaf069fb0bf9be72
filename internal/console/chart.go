package console

import (
	"fmt"
	"strings"
	"time"
)

// The size of a chart of volume, in the units of its own.
const (
	chartHours  = 24
	chartStep   = 6
	chartBar    = 5
	chartHeight = 28
)

// chart is the volume of the last hours as an SVG: one path for all its bars.
type chart struct {
	Path    string // of the bars; empty: nothing came
	Summary string
	Total   string
	Width   int
	Height  int
}

// drawVolume makes the chart of hours that end now. Bars are as high as their share of
// the highest; what is not nothing can be seen.
func drawVolume(s connectionState, now time.Time) chart {
	var hours [chartHours]int64
	first := now.Truncate(time.Hour).Add(-(chartHours - 1) * time.Hour)
	var most, total int64
	for _, v := range s.Volume {
		n := int(v.Hour.Sub(first) / time.Hour)
		if n < 0 || n >= len(hours) || v.Hour.Before(first) {
			continue
		}
		hours[n] = v.Records
		most, total = max(most, v.Records), total+v.Records
	}
	c := chart{Width: chartHours*chartStep - (chartStep - chartBar), Height: chartHeight, Summary: "No events in 24 hours", Total: "no events"}
	if total == 0 {
		return c
	}
	var path strings.Builder
	for n, records := range hours {
		if records == 0 {
			continue
		}
		height := max(1, records*chartHeight/most)
		fmt.Fprintf(&path, "M%d %dv-%dh%dv%dz", n*chartStep, chartHeight, height, chartBar, height)
	}
	c.Path, c.Total = path.String(), eventCount(total)
	c.Summary = fmt.Sprintf("%s in 24 hours, at most %s in an hour, %s in this one", eventCount(total), count(most), count(hours[chartHours-1]))
	return c
}

func eventCount(n int64) string {
	if n == 1 {
		return "1 event"
	}
	return count(n) + " events"
}
