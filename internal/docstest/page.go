// Package docstest reads the pages of the documentation, for tests: the blocks of
// code that they show, where their links lead, the tests that they name. Its own
// tests hold the pages of this repository to what they say: a command on a page is
// one that a test runs, a test that is named exists, a link leads somewhere.
package docstest

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Page is one page of the documentation.
type Page struct {
	Path string // below the root of the repository
	Text string
}

// Block is a fenced block of code on a page.
type Block struct {
	Line     int    // of the fence that opens it
	Language string // the word behind the fence
	Mark     string // the comment on the line before it, which says what becomes of the block
	Text     string
}

// Pages are the pages at the root of a repository, and all below its docs folder.
func Pages(root fs.FS) ([]Page, error) {
	paths, err := fs.Glob(root, "*.md")
	if err != nil {
		return nil, fmt.Errorf("pages: %w", err)
	}
	err = fs.WalkDir(root, "docs", func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && path.Ext(name) == ".md" {
			paths = append(paths, name)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("pages: %w", err)
	}
	pages := make([]Page, 0, len(paths))
	for _, name := range paths {
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return nil, fmt.Errorf("pages: %w", err)
		}
		pages = append(pages, Page{Path: name, Text: string(text)})
	}
	return pages, nil
}

// Blocks are the fenced blocks of a page, in order.
func (p Page) Blocks() []Block {
	var blocks []Block
	p.scan(func(b Block) { blocks = append(blocks, b) }, func(int, string) {})
	return blocks
}

// Part is the text of the blocks that are marked as one part, "<!-- e2e: cli -->";
// empty if there is none.
func (p Page) Part(name string) string {
	var text strings.Builder
	for _, b := range p.Blocks() {
		if part, ok := b.Part(); ok && part == name {
			text.WriteString(b.Text)
		}
	}
	return text.String()
}

// Part is the name under which a test of e2e runs the block.
func (b Block) Part() (string, bool) { return strings.CutPrefix(b.Mark, "e2e: ") }

// scan hands out the blocks of a page, and its lines outside of them.
func (p Page) scan(block func(Block), prose func(number int, line string)) {
	mark := regexp.MustCompile(`^\s*<!-- (.*) -->$`)
	lines := strings.Split(p.Text, "\n")
	for i := 0; i < len(lines); i++ {
		language, opens := strings.CutPrefix(strings.TrimSpace(lines[i]), "```")
		if !opens {
			prose(i+1, lines[i])
			continue
		}
		b := Block{Line: i + 1, Language: language}
		if i > 0 {
			if m := mark.FindStringSubmatch(lines[i-1]); m != nil {
				b.Mark = m[1]
			}
		}
		indent := lines[i][:strings.Index(lines[i], "`")]
		var text strings.Builder
		for i++; i < len(lines) && strings.TrimSpace(lines[i]) != "```"; i++ {
			text.WriteString(strings.TrimPrefix(lines[i], indent) + "\n")
		}
		b.Text = text.String()
		block(b)
	}
}

// Link is a link of a page to a place in the repository.
type Link struct {
	Line   int
	Path   string // below the root of the repository
	Anchor string // of a heading; empty: the page as a whole
}

// Links are the links of a page that lead to files and headings of the
// repository. Those to elsewhere are left out.
func (p Page) Links() []Link {
	target := regexp.MustCompile(`\]\(([^()\s]+)\)`)
	var links []Link
	p.scan(func(Block) {}, func(number int, line string) {
		for _, m := range target.FindAllStringSubmatch(withoutCode(line), -1) {
			if strings.Contains(m[1], ":") {
				continue
			}
			to, anchor, _ := strings.Cut(m[1], "#")
			l := Link{Line: number, Path: p.Path, Anchor: anchor}
			if to != "" {
				l.Path = path.Join(path.Dir(p.Path), to)
			}
			links = append(links, l)
		}
	})
	return links
}

// withoutCode leaves out what stands between backquotes.
func withoutCode(line string) string {
	parts := strings.Split(line, "`")
	for i := 1; i < len(parts); i += 2 {
		parts[i] = ""
	}
	return strings.Join(parts, "`")
}

// Anchors are the anchors of a page's headings, as GitHub makes them: in lower
// case, without punctuation, with hyphens for spaces, and a number where one is
// there already.
func (p Page) Anchors() []string {
	heading := regexp.MustCompile(`^#{1,6} +(.*?)\s*$`)
	dropped := regexp.MustCompile(`[^\p{L}\p{N}\- _]`)
	var anchors []string
	p.scan(func(Block) {}, func(_ int, line string) {
		m := heading.FindStringSubmatch(line)
		if m == nil {
			return
		}
		base := strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")
		anchor := base
		for n := 1; slices.Contains(anchors, anchor); n++ {
			anchor = fmt.Sprintf("%s-%d", base, n)
		}
		anchors = append(anchors, anchor)
	})
	return anchors
}
