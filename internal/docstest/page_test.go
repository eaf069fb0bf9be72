package docstest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const sample = "# A page\n" +
	"See [one](other.md#there), [two](#a-page), [three](https://example.com/#x) and `[none](of.md)`.\n" +
	"<!-- e2e: TestPart -->\n```sh\nmake a\n# [no](link.md) TestNoName\n```\n" +
	"## A page\n" +
	"1. In a list:\n\n   <!-- e2e: TestPart -->\n   ```sh\n   make b\n   ```\n" +
	"## What `it` is, and why?\n" +
	"<!-- runs TestRun -->\n```text\n```\n" +
	"```sql\nSELECT 1\n```\n" +
	"| what | test | remains |\n|---|---|---|\n| a | `store`, `e2e` TestA, FuzzB; TestC of `wire` | `x` and TestD |\n| b | none | |\n\n| c | d |\n"

func TestBlocksOfAPage(t *testing.T) {
	t.Parallel()
	p := Page{Path: "docs/page.md", Text: sample}
	want := []Block{
		{Line: 4, Language: "sh", Mark: "e2e: TestPart", Text: "make a\n# [no](link.md) TestNoName\n"},
		{Line: 12, Language: "sh", Mark: "e2e: TestPart", Text: "make b\n"},
		{Line: 17, Language: "text", Mark: "runs TestRun"},
		{Line: 19, Language: "sql", Text: "SELECT 1\n"},
	}
	if d := cmp.Diff(want, p.Blocks()); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if got := p.Part("TestPart"); got != want[0].Text+want[1].Text {
		t.Errorf("the part is %q", got)
	}
	if got := p.Part("Other"); got != "" {
		t.Errorf("a part that is not there is %q", got)
	}
}

func TestLinksOfAPage(t *testing.T) {
	t.Parallel()
	p := Page{Path: "docs/page.md", Text: sample}
	want := []Link{{Line: 2, Path: "docs/other.md", Anchor: "there"}, {Line: 2, Path: "docs/page.md", Anchor: "a-page"}}
	if d := cmp.Diff(want, p.Links()); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if d := cmp.Diff([]string{"a-page", "a-page-1", "what-it-is-and-why"}, p.Anchors()); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestTestsOfAPage(t *testing.T) {
	t.Parallel()
	p := Page{Path: "docs/page.md", Text: sample}
	both := []string{"store", "e2e"}
	want := []Named{
		{Line: 16, Test: "TestRun"}, {Line: 24, Packages: both, Test: "TestA"}, {Line: 24, Packages: both, Test: "FuzzB"},
		{Line: 24, Test: "TestC"}, {Line: 24, Test: "TestD"},
	}
	if d := cmp.Diff(want, p.Named()); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	rows := []Row{{Line: 24, Test: "`store`, `e2e` TestA, FuzzB; TestC of `wire`"}, {Line: 25, Test: "none"}}
	if d := cmp.Diff(rows, p.ShownBy()); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}

	tree := Tests{"TestA": {"internal/store", "e2e"}, "FuzzB": {"internal/store"}, "TestC": {"internal/mestore"}}
	for _, tt := range []struct {
		named   Named
		missing bool
	}{
		{Named{Packages: both, Test: "TestA"}, false},
		{Named{Packages: both, Test: "FuzzB"}, true},
		{Named{Packages: []string{"internal/store"}, Test: "FuzzB"}, false},
		{Named{Packages: []string{"store"}, Test: "TestC"}, true},
		{Named{Test: "TestC"}, false},
		{Named{Test: "TestD"}, true},
	} {
		if got := tree.Missing(tt.named); got != tt.missing {
			t.Errorf("%+v: missing is %t", tt.named, got)
		}
	}
}
