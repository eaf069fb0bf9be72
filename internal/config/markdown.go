package config

import (
	"fmt"
	"strings"
)

// defaultText returns the default for people.
func (s setting) defaultText() string {
	if s.shown != "" {
		return s.shown
	}
	return "`" + s.fallback + "`"
}

// Markdown returns the documentation's table of settings.
func Markdown() string {
	var b strings.Builder
	b.WriteString("| flag and key in `selvedge.yaml` | environment | default | meaning |\n|---|---|---|---|\n")
	for _, s := range table() {
		flag := "`--" + s.name + "`"
		if s.only == "env" {
			flag = "only in the environment"
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s |\n", flag, s.env, s.defaultText(), s.help)
	}
	return b.String()
}
