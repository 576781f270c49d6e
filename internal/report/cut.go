package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/followspan/followspan/trace"
)

// treeLines is how long a tree may become before parts of it are left out.
const treeLines = 80

// cutting says how much of a tree is shown.
type cutting struct {
	clock
	flow     trace.Flow
	depth    int // how deep; below it only what is marked
	alike    int // how many of siblings that look the same
	siblings int // how many children of one span in all
}

// uncut shows everything.
func uncut(f trace.Flow) cutting {
	return cutting{clock: newClock(f), flow: f, depth: math.MaxInt, alike: math.MaxInt, siblings: math.MaxInt}
}

// fit returns the cutting that shows most of the tree in so many lines. Spans that
// a failure speaks of are always shown.
func fit(f trace.Flow, root *branch, lines, deepest int) cutting {
	c := uncut(f)
	c.depth = deepest
	if c.fits(root, lines) {
		return c
	}
	for _, siblings := range []int{math.MaxInt, 20, 10, 5, 3} {
		c.alike, c.siblings = 1, siblings
		c.depth = sort.Search(deepest, func(d int) bool {
			c.depth = d + 1
			return !c.fits(root, lines)
		})
		if c.depth >= min(4, deepest) {
			break
		}
	}
	c.depth = max(c.depth, 1)
	return c
}

func (c cutting) fits(root *branch, lines int) bool { return c.room(root, 0, lines) >= 0 }

// room is how many of so many lines are left after what is below b; it stops when
// none is.
func (c cutting) room(b *branch, depth, lines int) int {
	for _, child := range c.children(b, depth) {
		if lines = c.room(child, depth+1, lines-1); lines < 0 {
			break
		}
	}
	return lines
}

// children are those that are shown, with lines that say what is left out.
func (c cutting) children(b *branch, depth int) []*branch {
	if depth >= c.depth {
		return c.below(b)
	}
	return c.some(c.notAlike(b.children))
}

// below is what is shown below the deepest spans: what is marked.
func (c cutting) below(b *branch) []*branch {
	var out []*branch
	hidden := 0
	services := map[string]bool{}
	var visit func(*branch)
	visit = func(child *branch) {
		if child.marked {
			out = append(out, child)
			return
		}
		hidden += boolInt(child.node != trace.None)
		if child.holds {
			for _, grandchild := range child.children {
				visit(grandchild)
			}
			return
		}
		hidden += max(child.spans-1, 0)
	}
	for _, child := range b.children {
		if child.node == trace.None && len(child.children) == 0 {
			out = append(out, child)
			continue
		}
		visit(child)
		if child.node != trace.None {
			services[serviceName(c.flow.Span(child.node).Service())] = true
		}
	}
	if hidden > 0 {
		text := fmt.Sprintf("… %s below, from %s", count(hidden, "span"), list(services, 3))
		out = append([]*branch{{node: trace.None, text: text}}, out...)
	}
	return out
}

// looks are what siblings have in common that look the same.
type looks struct {
	service, name string
	kind          trace.Kind
	status        trace.Status
	rule          trace.Rule
}

// alike are siblings that are shown by one line.
type alike struct {
	shown             int
	hidden            int
	spans, errors     int
	only              *branch // the first that is hidden
	timed             bool    // how long one of them took is known
	shortest, longest time.Duration
	line              *branch
	like              string
}

// notAlike leaves out the siblings of which enough that look the same are shown,
// unless that saves no line.
func (c cutting) notAlike(children []*branch) []*branch {
	if len(children) <= c.alike {
		return children
	}
	groups := map[looks]*alike{}
	var out []*branch
	for _, child := range children {
		if child.node == trace.None {
			out = append(out, child)
			continue
		}
		span := c.flow.Span(child.node)
		key := looks{span.Service(), span.Name(), span.Kind(), span.Status(), child.rule}
		g := groups[key]
		if g == nil {
			g = &alike{}
			groups[key] = g
		}
		if child.holds || g.shown < c.alike {
			g.shown++
			out = append(out, child)
			continue
		}
		if g.line == nil {
			// The line stands where the first that it speaks of would stand.
			g.line, g.like = &branch{node: trace.None}, ref(key.service, key.name)
			out = append(out, g.line)
		}
		g.add(child)
		if c.knows(span.Start()) && c.knows(span.End()) {
			g.time(span.Duration())
		}
	}
	lines := map[*branch]*branch{}
	for _, g := range groups {
		g.say()
		if g.hidden == 1 && g.spans == 0 {
			lines[g.line] = g.only // it takes no more room than to tell of it
		}
	}
	for i, b := range out {
		out[i] = cmp.Or(lines[b], b)
	}
	return out
}

func (g *alike) add(b *branch) {
	if g.hidden == 0 {
		g.only = b
	}
	g.hidden++
	g.spans += b.spans - 1
	g.errors += b.errors
}

func (g *alike) time(d time.Duration) {
	if !g.timed {
		g.timed, g.shortest, g.longest = true, d, d
	}
	g.shortest, g.longest = min(g.shortest, d), max(g.longest, d)
}

func (g *alike) say() {
	if g.line == nil {
		return
	}
	g.line.siblings, g.line.spans = g.hidden, g.hidden+g.spans
	g.line.text = fmt.Sprintf("… %s more like %s", number(g.hidden), g.like)
	if g.timed {
		g.line.text += ", " + duration(g.shortest)
	}
	if g.longest > g.shortest {
		g.line.text += " to " + duration(g.longest)
	}
	if g.spans > 0 {
		g.line.text += ", " + count(g.spans, "span") + " below them"
	}
	if g.errors > 0 {
		g.line.text += ", " + count(g.errors, "error")
	}
}

// some leaves out siblings, even if they differ, when there are too many.
func (c cutting) some(children []*branch) []*branch {
	if len(children) <= c.siblings {
		return children
	}
	out := slices.Clone(children[:c.siblings-1])
	hidden, spans := 0, 0
	var kept []*branch
	for _, child := range children[c.siblings-1:] {
		if child.holds {
			kept = append(kept, child)
			continue
		}
		hidden += max(child.siblings, 1)
		spans += child.spans
	}
	if hidden > 0 {
		text := fmt.Sprintf("… %s more here", number(hidden))
		if spans > hidden {
			text += fmt.Sprintf(", %s in all", count(spans, "span"))
		}
		out = append(out, &branch{node: trace.None, text: text})
	}
	return append(out, kept...)
}

// list names at most n of a set, in order.
func list(set map[string]bool, n int) string {
	names := make([]string, 0, len(set))
	for s := range set {
		names = append(names, s)
	}
	slices.Sort(names)
	if len(names) > n {
		names = append(names[:n], "…")
	}
	return strings.Join(names, ", ")
}
