package iam

// Glob is glob, for its tests.
func Glob(pattern, s string) bool { return glob(pattern, s) }
