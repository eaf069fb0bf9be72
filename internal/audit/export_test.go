package audit

// Backwards yields the lines of a file from its end.
var Backwards = backwards
