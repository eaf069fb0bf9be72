package mapping

import "strings"

// none is the place of paths that the table does not have.
const none = -1

// trie holds the table's paths. Its root is node 0. It does not change once it
// is built.
type trie struct{ nodes []node }

type node struct {
	edges   []edge // to the members
	element int32  // the elements of a list
}

type edge struct {
	key string
	to  int32
}

func newTrie() *trie { return &trie{nodes: []node{{element: none}}} }

// add makes room for a path and returns its node.
func (t *trie) add(path string) int32 {
	at := int32(0)
	for _, step := range steps(path) {
		next := t.step(at, step)
		if next == none {
			next = int32(len(t.nodes)) //nolint:gosec // a table has few paths
			t.nodes = append(t.nodes, node{element: none})
			if step == elementStep {
				t.nodes[at].element = next
			} else {
				t.nodes[at].edges = append(t.nodes[at].edges, edge{step, next})
			}
		}
		at = next
	}
	return at
}

// find returns the node of a path below another, or none.
func (t *trie) find(from int32, path string) int32 {
	at := from
	if strings.IndexByte(path, '\\') >= 0 || strings.IndexByte(path, '[') >= 0 {
		for _, step := range steps(path) {
			at = t.step(at, step)
		}
		return at
	}
	// The common case, which must not allocate.
	for at != none && path != "" {
		var name string
		name, path, _ = strings.Cut(path, ".")
		at = t.child(at, name)
	}
	return at
}

func (t *trie) step(at int32, step string) int32 {
	if at == none {
		return none
	}
	if step == elementStep {
		return t.nodes[at].element
	}
	return t.child(at, step)
}

// child returns the node of a member, or none.
func (t *trie) child(at int32, key string) int32 {
	if at == none {
		return none
	}
	for _, e := range t.nodes[at].edges {
		if e.key == key {
			return e.to
		}
	}
	return none
}

// elementStep stands for the elements of a list. No member has this name: in a
// path a bracket ends a name.
const elementStep = "[]"

// steps takes a path apart: "a.b[].c\.d" is a, b, [], c.d.
func steps(path string) []string {
	var out []string
	var name strings.Builder
	flush := func() {
		if name.Len() > 0 {
			out = append(out, name.String())
			name.Reset()
		}
	}
	for i := 0; i < len(path); i++ {
		switch {
		case path[i] == '\\' && i+1 < len(path):
			i++
			name.WriteByte(path[i])
		case path[i] == '.':
			flush()
		case strings.HasPrefix(path[i:], elementStep):
			flush()
			out = append(out, elementStep)
			i++
		default:
			name.WriteByte(path[i])
		}
	}
	flush()
	return out
}
