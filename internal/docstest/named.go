package docstest

import (
	"regexp"
	"slices"
	"strings"
)

// Named is a test that a page names.
type Named struct {
	Line     int
	Packages []string // that the page says it is in: the ends of their paths; none: it does not say
	Test     string
}

// Named are the tests that a page names, in its prose and in its marks. Packages
// stand in backquotes before their tests: "`store` TestGroup, TestOnce; `pipeline`,
// `token` TestKeyAway" names four.
func (p Page) Named() []Named {
	var all []Named
	p.scan(func(b Block) {
		if _, part := b.Part(); !part { // the names of parts are free
			all = append(all, named(b.Line-1, b.Mark)...)
		}
	}, func(number int, line string) {
		if !strings.HasPrefix(strings.TrimSpace(line), "<!-- ") {
			all = append(all, named(number, line)...)
		}
	})
	return all
}

func named(number int, line string) []Named {
	if !strings.Contains(line, "Test") && !strings.Contains(line, "Fuzz") {
		return nil
	}
	list := regexp.MustCompile("((?:`[a-z0-9/]+`(?:,| and)? )*)\\b((?:Test|Fuzz)[A-Z]\\w*(?:(?:,| and) (?:Test|Fuzz)[A-Z]\\w*)*)")
	pkg, name := regexp.MustCompile("[a-z0-9/]{2,}"), regexp.MustCompile(`(?:Test|Fuzz)\w+`)
	var all []Named
	for _, m := range list.FindAllStringSubmatch(line, -1) {
		packages := pkg.FindAllString(strings.ReplaceAll(m[1], " and ", ""), -1)
		for _, test := range name.FindAllString(m[2], -1) {
			all = append(all, Named{Line: number, Packages: packages, Test: test})
		}
	}
	return all
}

// Tests are the tests of a tree, by name, with the folders of their packages.
type Tests map[string][]string

// Missing says whether a test that a page names is not there, or not where the
// page says.
func (t Tests) Missing(n Named) bool {
	folders, ok := t[n.Test]
	if !ok {
		return true
	}
	for _, pkg := range n.Packages {
		if !slices.ContainsFunc(folders, func(folder string) bool { return folder == pkg || strings.HasSuffix(folder, "/"+pkg) }) {
			return true
		}
	}
	return false
}

// Row is a row of a table whose last columns say how something is tested.
type Row struct {
	Line int
	Test string // the cell
}

// ShownBy are the rows of the page's tables with a column "test".
func (p Page) ShownBy() []Row {
	var rows []Row
	column := -1
	p.scan(func(Block) { column = -1 }, func(number int, line string) {
		if !strings.HasPrefix(line, "|") {
			column = -1
			return
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case slices.Contains(cells, "test"):
			column = slices.Index(cells, "test")
		case column >= 0 && column < len(cells) && !strings.HasPrefix(cells[0], "---"):
			rows = append(rows, Row{Line: number, Test: cells[column]})
		}
	})
	return rows
}
