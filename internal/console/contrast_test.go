package console_test

import (
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestContrast holds the colours of the pages to WCAG 2.2, level AA: 4.5 for text, 3 for
// what is drawn (https://www.w3.org/TR/WCAG22/#contrast-minimum, #non-text-contrast,
// checked 2026-11-23).
func TestContrast(t *testing.T) {
	t.Parallel()
	style, err := os.ReadFile("assets/style.css")
	if err != nil {
		t.Fatal(err)
	}
	light, rest, ok := strings.Cut(string(style), "@media (prefers-color-scheme: dark)")
	dark, rules, end := strings.Cut(rest, "\n}\n")
	if !ok || !end {
		t.Fatal("the style sheet does not begin with the colours, light and dark")
	}
	if found := regexp.MustCompile(`#[0-9a-fA-F]{3,8}\b|rgba?\(|hsla?\(`).FindAllString(rules, -1); found != nil {
		t.Errorf("colours that are not among those tested: %v", found)
	}
	pairs := map[float64][][2]string{
		4.5: {
			{"ink", "paper"}, {"ink", "raised"}, {"soft", "paper"}, {"soft", "raised"}, {"link", "paper"}, {"link", "raised"},
			{"good", "paper"}, {"good", "raised"}, {"warn", "paper"}, {"warn", "raised"}, {"bad", "paper"}, {"bad", "raised"}, {"on-button", "button"},
		},
		3: {{"field", "paper"}, {"field", "raised"}, {"button", "paper"}, {"bar", "paper"}, {"good", "rule"}, {"bad", "rule"}},
	}
	seen := map[string]bool{}
	for name, text := range map[string]string{"light": light, "dark": dark} {
		colours := map[string]float64{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`).FindAllStringSubmatch(text, -1) {
			colours[m[1]] = luminance(t, m[2])
		}
		for least, all := range pairs {
			for _, p := range all {
				over, overThere := colours[p[0]]
				under, underThere := colours[p[1]]
				ratio := (max(over, under) + 0.05) / (min(over, under) + 0.05)
				if !overThere || !underThere || ratio < least {
					t.Errorf("%s: %s on %s has %.2f, want %.1f", name, p[0], p[1], ratio, least)
				}
				seen[p[0]], seen[p[1]] = true, true
			}
		}
	}
	for _, m := range regexp.MustCompile(`var\(--([a-z-]+)\)`).FindAllStringSubmatch(rules, -1) {
		if !seen[m[1]] {
			t.Errorf("the colour %s is used and not tested", m[1])
		}
	}
}

// luminance is a colour's relative luminance.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	part := func(shift int) float64 {
		c := float64(n>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*part(16) + 0.7152*part(8) + 0.0722*part(0)
}
