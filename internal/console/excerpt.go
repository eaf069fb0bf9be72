package console

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// pretty is JSON a member a line; what is none stays as it is.
func pretty(text []byte) string {
	var b bytes.Buffer
	if json.Indent(&b, text, "", "  ") != nil {
		return string(text)
	}
	return b.String()
}

// excerpt is text as far as there is room for it.
type excerpt struct {
	Text string
	More int // bytes that are left out
}

// String is the text, with dots where something is left out.
func (e excerpt) String() string {
	if e.More > 0 {
		return e.Text + " ..."
	}
	return e.Text
}

// maxBrief is the room of a text in a list, which has many.
const maxBrief = 200

// brief is a text in a list: whoever named it may have used all that the API lets.
func brief(text string) string { return excerptOf(text, maxBrief).String() }

// excerptOf cuts text where its HTML would be longer than room, at the end of a line
// if there is one near.
func excerptOf(text string, room int) excerpt {
	end := 0
	for end < len(text) {
		r, size := utf8.DecodeRuneInString(text[end:])
		cost := size
		if strings.ContainsRune(`"'&<>+`, r) || r == utf8.RuneError || r == 0 {
			cost = 5
		}
		if room -= cost; room < 0 {
			break
		}
		end += size
	}
	if end == len(text) {
		return excerpt{Text: text}
	}
	if line := strings.LastIndexByte(text[:end], '\n'); line > end/2 {
		end = line
	}
	return excerpt{Text: text[:end], More: len(text) - end}
}
