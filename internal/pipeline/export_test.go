package pipeline

import "selvedge/internal/fabric"

// Judge says what the failure of a search for a user means.
func Judge(err error) (fabric.UserAccessError, bool) { return judge(err) }

// What is pure is tested by itself.
var (
	FormatNumbers = formatNumbers
	ParseNumbers  = parseNumbers
)
