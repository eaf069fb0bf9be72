package console

import "time"

// Routes is every line of the console, as "METHOD pattern".
func Routes() (all []string) {
	for _, r := range routes() {
		all = append(all, r.method+" "+r.pattern)
	}
	return all
}

// Period is a range of time that a timeline shows.
type Period = period

// Draw draws a timeline by itself.
func Draw(now time.Time, length time.Duration, read, gaps []Period, most int) timeline {
	return draw("t", now, length, read, gaps, most)
}
