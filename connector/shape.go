package connector

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Shape tells records of a stream by their members: all of its marks hold. The
// empty shape is that of every record.
type Shape []Mark

// Mark is a member that a record has, other than null.
type Mark struct {
	Path string   // of members in members: "id.applicationName"
	Is   []string // the texts that it may have; none: whatever it holds
}

// ErrNoStream is the error, within StreamOf's, of a record that is of none of the
// streams.
var ErrNoStream = errors.New("its members are those of no stream")

// StreamOf tells which stream a record is of that comes without its stream's
// name. All records are of the only stream of an application that has one. Of
// several, the shape with the most marks counts, and of those the first. An
// error lists the streams.
func (a App) StreamOf(raw []byte) (string, error) {
	if len(a.Streams) == 1 {
		return a.Streams[0].Name, nil
	}
	var found string
	most := -1
	record := members{raw: raw, texts: map[string]text{}}
	for _, s := range a.Streams {
		for _, shape := range s.Shapes {
			if len(shape) > most && record.fit(shape) {
				found, most = s.Name, len(shape)
			}
		}
	}
	if found == "" {
		return "", fmt.Errorf("%w of %s: %s", ErrNoStream, a.Name, strings.Join(a.StreamNames(), ", "))
	}
	return found, nil
}

// StreamNames are the names of the streams, in their order.
func (a App) StreamNames() []string {
	var names []string
	for _, s := range a.Streams {
		names = append(names, s.Name)
	}
	return names
}

// members are a record's, each looked up once.
type members struct {
	raw   []byte
	texts map[string]text
}

type text struct {
	text  string
	there bool
}

func (m members) fit(shape Shape) bool {
	for _, mark := range shape {
		t, known := m.texts[mark.Path]
		if !known {
			t = member(m.raw, mark.Path)
			m.texts[mark.Path] = t
		}
		if !t.there || len(mark.Is) > 0 && !slices.Contains(mark.Is, t.text) {
			return false
		}
	}
	return true
}

// member returns the text of a member: of a string what it says, of all else its
// JSON.
func member(raw []byte, path string) text {
	for name := range strings.SplitSeq(path, ".") {
		var object map[string]json.RawMessage
		if json.Unmarshal(raw, &object) != nil {
			return text{}
		}
		raw = object[name]
	}
	if len(raw) == 0 || string(raw) == "null" {
		return text{}
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		s = string(raw)
	}
	return text{s, true}
}
