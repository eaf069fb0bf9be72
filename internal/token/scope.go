package token

import (
	"encoding/json"
	"strings"

	"selvedge/connector"
)

// factScope is the fact under which the scopes of a token answer are kept, as
// the provider wrote them.
const factScope = "scope"

// scopeText is the scopes of an answer in one line: text, or a list of texts.
func scopeText(raw json.RawMessage) string {
	var list []string
	if json.Unmarshal(raw, &list) == nil {
		return strings.Join(list, " ")
	}
	return plain(raw)
}

// scopeParam is the parameter that asks for scopes, and its value.
func scopeParam(app connector.App) (name, value string) {
	name, separator := app.Auth.ScopeParam, app.Auth.ScopeSeparator
	if name == "" {
		name = "scope"
	}
	if separator == "" {
		separator = " "
	}
	return name, strings.Join(app.Auth.Scopes, separator)
}

// Missing returns those of the scopes that the grant is known to lack. Nothing
// is known of a provider that does not tell what it grants.
func (g Grant) Missing(scopes []string) []string { return missing(g.Facts, scopes) }

// missing compares scopes: with regard to case (RFC 6749, section 3.3), without
// regard to the resource that some begin with, which Microsoft adds and leaves
// out as it likes. What asks for tokens rather than for access, or for all that
// was consented to, is never listed.
func missing(facts map[string]string, scopes []string) []string {
	text := facts[factScope]
	if text == "" {
		return nil
	}
	granted := make(map[string]bool)
	for _, scope := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' || r == '\t' || r == '\n' }) {
		granted[bareScope(scope)] = true
	}
	var lacks []string
	for _, scope := range scopes {
		switch bare := bareScope(scope); {
		case bare == "offline_access", bare == "openid", bare == ".default", granted[bare]:
		default:
			lacks = append(lacks, scope)
		}
	}
	return lacks
}

// bareScope is a scope without the resource before it: Microsoft's
// "https://graph.microsoft.com/User.Read" is "User.Read", and Google's
// "https://www.googleapis.com/auth/drive", whose path is the scope's name, is
// "auth/drive".
func bareScope(scope string) string {
	_, rest, found := strings.Cut(scope, "://")
	if !found {
		return scope
	}
	if _, name, found := strings.Cut(rest, "/"); found && name != "" {
		return name
	}
	return scope
}

// ScopeNames is a list of scopes for a sentence: "the scope a", "the scopes a, b".
func ScopeNames(scopes []string) string {
	noun := "the scope "
	if len(scopes) > 1 {
		noun = "the scopes "
	}
	return noun + strings.Join(scopes, ", ")
}
