package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/followspan/followspan/trace"
)

// branch is a span in the tree of a flow, or a line of text that hangs there.
type branch struct {
	node     trace.Node // None for a line of text
	text     string
	lacks    bool       // the text says what is missing
	rule     trace.Rule // how it hangs on its parent; ByParent for a child
	children []*branch
	spans    int  // in and below it, or that a line of text stands for
	siblings int  // that a line of text stands for
	errors   int  // among these
	marked   bool // it is never left out: a failure speaks of it, say
	holds    bool // it or something below it is marked
	reached  bool
}

// grove builds the tree of one flow.
type grove struct {
	flow  trace.Flow
	of    map[trace.Node]*branch
	roots []*branch
	lost  map[trace.SpanID]*branch // by the id of a parent that never arrived
}

// newGrove returns the root under which everything of the flow hangs. Every member
// that is still held appears exactly once: below its parent, else below what it follows from over a
// link or a message, else at the top.
func newGrove(f trace.Flow, marks map[trace.Node][]string) *branch {
	g := &grove{flow: f, of: make(map[trace.Node]*branch, f.Len()), lost: map[trace.SpanID]*branch{}}
	all := make([]branch, 0, f.Len())
	for i := range f.Len() {
		if n := f.Member(i); !f.View.Evicted(n) {
			all = append(all, branch{node: n, rule: trace.ByParent, marked: marks[n] != nil})
			g.of[n] = &all[len(all)-1]
		}
	}
	if gone := f.Len() - len(all); gone > 0 {
		g.roots = append(g.roots, &branch{node: trace.None, lacks: true, text: "… " + count(gone, "span") + " made room for others"})
	}
	g.hangEdges()
	for i := range all {
		g.hang(&all[i])
	}
	root := &branch{node: trace.None, children: g.roots}
	g.settle(root)
	for {
		b := g.unreached(all)
		if b == nil {
			break
		}
		g.settle(b)
		root.children, root.spans, root.holds = append(root.children, b), root.spans+b.spans, root.holds || b.holds
	}
	g.sort(root.children)
	return root
}

// keptErrors is how many errors of a trace are shown in any case.
const keptErrors = 20

// keepErrors adds to marks, with no name, the first errors of a flow: they are what one
// looks for in it.
func keepErrors(f trace.Flow, marks map[trace.Node][]string) map[trace.Node][]string {
	kept := maps.Clone(marks)
	if kept == nil {
		kept = map[trace.Node][]string{}
	}
	for i, left := 0, keptErrors; i < f.Len() && left > 0; i++ {
		if n := f.Member(i); f.Span(n).Status() == trace.Error && kept[n] == nil {
			kept[n] = []string{}
			left--
		}
	}
	return kept
}

// hangEdges puts what is missing where it is missing.
func (g *grove) hangEdges() {
	for _, e := range g.flow.OpenEdges() {
		switch b := g.of[e.Node]; {
		case b == nil:
			g.roots = append(g.roots, &branch{node: trace.None, lacks: true, text: "… " + edgeWords(g.flow, e)})
		case e.Kind == trace.WaitsForLinked: // which hangs on no span
		case e.Kind != trace.WaitsForParent:
			b.children = append(b.children, &branch{node: trace.None, lacks: true, text: hangingWords(g.flow, e)})
		case g.lost[e.Missing] == nil:
			g.lost[e.Missing] = &branch{node: trace.None, lacks: true, text: parentWords(g.flow, e)}
		}
	}
}

func parentWords(f trace.Flow, e trace.OpenEdge) string {
	if f.LoopsBack(e.Node) {
		return fmt.Sprintf("… parent %s leads back here: a loop", e.Missing)
	}
	return fmt.Sprintf("… parent %s never arrived", e.Missing)
}

func (g *grove) hang(b *branch) {
	if p, ok := g.flow.Parent(b.node); ok && g.of[p] != nil {
		g.of[p].children = append(g.of[p].children, b)
		return
	}
	if cause, rule := g.cause(b.node); cause != nil {
		b.rule = rule
		cause.children = append(cause.children, b)
		return
	}
	if missing := g.lost[g.flow.Span(b.node).ParentID()]; missing != nil {
		if missing.children == nil {
			g.roots = append(g.roots, missing)
		}
		missing.children = append(missing.children, b)
		return
	}
	if rule := g.flow.JoinedBy(b.node); rule == trace.ByKey || rule == trace.ByLink || rule == trace.ByMessage {
		b.rule = rule
	}
	g.roots = append(g.roots, b)
}

// cause is the first member by start that n follows from over a link or a message.
func (g *grove) cause(n trace.Node) (*branch, trace.Rule) {
	var found *branch
	var by trace.Rule
	for c, rule := range g.flow.Causes(n) {
		if b := g.of[c]; b != nil && c != n && (found == nil || g.compare(b, found) < 0) {
			found, by = b, rule
		}
	}
	return found, by
}

// settle sorts and counts what is below b and drops what was reached by another
// way, since links may run in circles.
func (g *grove) settle(b *branch) {
	b.reached = true
	b.children = slices.DeleteFunc(b.children, func(c *branch) bool { return c.reached })
	g.sort(b.children)
	b.spans, b.errors, b.holds = 0, 0, b.marked
	if b.node != trace.None {
		b.spans, b.errors = 1, boolInt(g.flow.Span(b.node).Status() == trace.Error)
	}
	kept := b.children[:0]
	for _, c := range b.children {
		if c.reached {
			continue
		}
		g.settle(c)
		kept = append(kept, c)
		b.spans += c.spans
		b.errors += c.errors
		b.holds = b.holds || c.holds
	}
	b.children = kept
}

// unreached is the first span that no root leads to, nil if there is none.
func (g *grove) unreached(all []branch) *branch {
	var first *branch
	for i := range all {
		if !all[i].reached && (first == nil || g.compare(&all[i], first) < 0) {
			first = &all[i]
		}
	}
	return first
}

func (g *grove) sort(list []*branch) { slices.SortStableFunc(list, g.compare) }

// compare orders by start; lines of text stand where their first span stands, else
// behind the spans.
func (g *grove) compare(a, b *branch) int {
	x, y := a.first(), b.first()
	if x == trace.None || y == trace.None {
		return cmp.Compare(boolInt(x == trace.None), boolInt(y == trace.None))
	}
	s, t := g.flow.Span(x), g.flow.Span(y)
	return cmp.Or(cmp.Compare(s.Start(), t.Start()), cmp.Compare(t.End(), s.End()), strings.Compare(s.Service(), t.Service()),
		strings.Compare(s.Name(), t.Name()), slices.Compare(idBytes(s), idBytes(t)))
}

// first is the span whose start says where b stands among its siblings.
func (b *branch) first() trace.Node {
	if b.node == trace.None && len(b.children) > 0 {
		return b.children[0].node
	}
	return b.node
}

func idBytes(s trace.Span) []byte {
	id := s.ID()
	return id[:]
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
