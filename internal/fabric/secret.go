package fabric

import (
	"fmt"
	"log/slog"
)

// Secret is a string that must not be seen: it redacts itself wherever text is
// made of it. Reveal is the only way to its content.
type Secret string

const redacted = "[redacted]"

// Reveal returns the content.
func (s Secret) Reveal() string { return string(s) }

// String redacts.
func (s Secret) String() string { return redacted }

// GoString redacts %#v.
func (s Secret) GoString() string { return redacted }

// Format redacts every verb, %x and %q too.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue redacts in logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON redacts in JSON.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText redacts wherever text is asked for, as keys of JSON maps are.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
