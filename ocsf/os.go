package ocsf

// osOf tells the type of an operating system from its name in a user agent's
// words: "Mac OS X", "Windows 10", "iOS (iPhone)". A name of which nothing is
// known is the vendor's own.
func osOf(name string) Choice {
	for _, known := range [...]struct {
		word string
		id   int
	}{
		// The order matters: "Windows Phone" is no "Windows", "iPadOS" names
		// no other.
		{"windows phone", OSWindowsMobile},
		{"windows mobile", OSWindowsMobile},
		{"windows", OSWindows},
		{"ipad", OSIPadOS},
		{"iphone", OSIOS},
		{"ios", OSIOS},
		{"mac", OSMacOS},
		{"darwin", OSMacOS},
		{"android", OSAndroid},
		{"linux", OSLinux},
		{"ubuntu", OSLinux},
	} {
		if containsFold(name, known.word) {
			return Pick(known.id)
		}
	}
	if equalFold(name, "unknown") {
		return Pick(OSUnknown)
	}
	return Vendor(name)
}

// containsFold tells whether s has the lower-case ASCII word in it, in
// whatever case.
func containsFold(s, word string) bool {
	for i := 0; i+len(word) <= len(s); i++ {
		if equalFold(s[i:i+len(word)], word) {
			return true
		}
	}
	return false
}

func equalFold(s, lower string) bool {
	if len(s) != len(lower) {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
