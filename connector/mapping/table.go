package mapping

import (
	"strconv"
	"time"

	"selvedge/ocsf"
)

// Table is the mapping of one stream of an application.
type Table struct {
	Version string       // metadata.log_version: the day this mapping last changed
	Product ocsf.Product // metadata.product

	Time  string                         // path of when it happened
	Clock func(string) (time.Time, bool) // how the time is written; nil: RFC3339

	// Type is the path of the event's type, which Rules judge. Where the type
	// is made of several members, Code makes it, and Type is empty.
	Type string
	Code func(*Record) string

	Rows []Row
	// Read lists the paths that Code and Finish ask for and that are in no row.
	Read []string

	// Absent lists, by path, texts that say that there is no value, in whatever
	// case: "unknown". A member that has one is left for `unmapped`, as one that
	// no row has; to all else it is not there.
	Absent map[string][]string

	// Choices lists, by path, what texts mean among the values of an enumeration
	// of the schema's. Record.Pick and Record.Choose ask for it.
	Choices map[string]map[string]ocsf.Choice

	Rules []Rule
	Words map[string]Verb // in addition to the common ones, and before them
	// VerbFirst is set where types begin with their verb, "Delete access package
	// assignment request": there the first word counts, if it is one, and not the
	// last.
	VerbFirst bool

	// Finish fills what the rows cannot. The event has its class, and its rows;
	// it is called once more for another class where the event does not
	// satisfy the first.
	Finish func(*Record, *ocsf.Event)
}

// Row sends the leaf at a path to an attribute (ocsf.Setters). Several rows may
// have the same path, and several the same attribute: of those the first that
// has a value counts. A value that the attribute does not take, or that its
// event's class has no attribute for, is left for `unmapped`.
//
// A path through a list ("roles[].name") is a row of each element.
type Row struct {
	From string
	To   string
}

// Rule gives a class to a type of event. Type is the whole type, or with an
// asterisk at its end what the type begins with; the longest that fits counts.
// A type that no rule fits is of the class WebResources.
type Rule struct {
	Type     string
	Class    ocsf.Class
	Activity int    // 0: as the verb in the type tells
	Name     string // activity_name, under ocsf.Other

	// Else is the activity of WebResources, as which an event is written that
	// lacks what Class requires; 0: as the verb tells.
	Else int
}

// RFC3339 reads "2026-11-22T19:24:00.123Z". It is the Clock of a table that
// names none.
func RFC3339(s string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, s)
	return t, err == nil
}

// EpochSeconds reads seconds since 1970, with or without a fraction.
func EpochSeconds(s string) (time.Time, bool) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return sane(time.Unix(n, 0))
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !(f >= -maxSeconds && f <= maxSeconds) { // NaN is neither
		return time.Time{}, false
	}
	return time.UnixMilli(int64(f * 1000)), true
}

// EpochMillis reads milliseconds since 1970.
func EpochMillis(s string) (time.Time, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return time.Time{}, false
	}
	return sane(time.UnixMilli(n))
}

// maxSeconds is the end of the year 9999.
const maxSeconds = 253402300799

func sane(t time.Time) (time.Time, bool) {
	s := t.Unix()
	return t, s >= -maxSeconds && s <= maxSeconds
}
