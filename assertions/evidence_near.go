package assertions

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/trace"
)

// maxNear is how many near misses are kept.
const maxNear = 5

// nearest ranks all spans that were received by how much of a selector they
// satisfy, and keeps the best. What satisfies all of it and is no member of the
// flow is a look-alike: the flow lost it.
func (x *explainer) nearest(set *setPlan) {
	if set.selector == nil {
		return
	}
	type candidate struct {
		miss  NearMiss
		node  trace.Node
		score int
	}
	var all []candidate
	conjuncts, hinted := x.conjunctsOf(set), x.hinted()
	for n := range x.near() {
		if x.flow.View.Evicted(n) {
			continue
		}
		c := candidate{node: n}
		c.miss, c.score = x.missOf(conjuncts, n)
		if c.score > 0 && (c.miss.Fails != "" || !x.flow.Contains(n)) {
			all = append(all, c)
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(outside(a.miss), outside(b.miss)), cmp.Compare(oneIf(!hinted[a.node]), oneIf(!hinted[b.node])), x.flow.Span(a.node).Compare(x.flow.Span(b.node)))
	})
	seen := map[string]bool{}
	for _, c := range all {
		key := c.miss.Span.Service + "\x00" + c.miss.Span.Name + "\x00" + c.miss.Fails
		if seen[key] || len(x.Near) == maxNear || len(x.Near) > 0 && c.score < all[0].score-1 {
			continue
		}
		seen[key] = true
		if c.miss.OtherTrace && c.miss.Fails == "" {
			c.miss.Explanation = x.lostContext(c.node)
		}
		x.Near = append(x.Near, c.miss)
	}
}

// mostSearched is how many spans are looked at for the near misses of a flow's
// instances before only those of the instance are. One defect often fails all of
// them, and the first few explain it.
const mostSearched = 2_000_000

// near are the spans among which near misses are looked for.
func (x *explainer) near() iter.Seq[trace.Node] {
	received := x.flow.Received()
	all := x.in.flow.searched.Add(int64(received))-int64(received) < mostSearched
	if !all {
		return func(yield func(trace.Node) bool) {
			for i := 0; i < x.flow.Len() && yield(x.flow.Member(i)); i++ {
			}
		}
	}
	return func(yield func(trace.Node) bool) {
		for i := 0; i < received && yield(trace.Node(i)); i++ {
		}
	}
}

func outside(m NearMiss) int { return oneIf(m.OtherTrace) }

func oneIf(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// hinted are the spans outside of the flow at which its open edges hint.
func (x *explainer) hinted() map[trace.Node]bool {
	out := map[trace.Node]bool{}
	for _, e := range x.flow.OpenEdges() {
		out[e.Node] = true
		for _, n := range e.Strays {
			out[n] = true
		}
	}
	return out
}

// conjunctsOf are the conditions of a selector and of the sets that it is part of.
func (x *explainer) conjunctsOf(set *setPlan) []*lang.Expr {
	out := set.selector.Conjuncts()
	if set.base != 0 {
		if base := x.in.sets[set.base].plan; base.selector != nil {
			out = append(x.conjunctsOf(base), out...)
		}
	}
	return out
}

// missOf counts the conditions that a span satisfies. The service weighs most: a
// span of another service is hardly ever the one that is missing.
func (x *explainer) missOf(conjuncts []*lang.Expr, n trace.Node) (NearMiss, int) {
	m := NearMiss{Of: len(conjuncts)}
	score := 0
	for _, c := range conjuncts {
		if c.OfSpan(x.frame, n).True() {
			m.Holds++
			score += weight(c)
			continue
		}
		if m.Fails == "" {
			m.Fails, m.Actual = x.failing(c, n)
		}
	}
	if score == 0 {
		return m, 0
	}
	m.Span, m.OtherTrace = x.ref(n), !x.flow.Contains(n)
	return m, score
}

// failing says which condition a span does not satisfy, and what it is instead.
func (x *explainer) failing(c *lang.Expr, n trace.Node) (fails, actual string) {
	s := x.flow.Span(n)
	switch {
	case c.Calls("operation"):
		return "operation " + oneLine(c.Args[1].Text()), fmt.Sprintf("it is %q", clone(s.Name()))
	case c.Calls("entersService"):
		v, _ := c.Args[1].Literal()
		return "a call that arrives at " + v.Str(), fmt.Sprintf("it is a %s span of %s", s.Kind(), clone(s.Service()))
	}
	return clone(oneLine(c.Text())), x.actual(c)
}

// weight is how much of a resemblance it is to satisfy a condition. It is hardly
// one not to be something.
func weight(c *lang.Expr) int {
	w := 2
	if c.Op == lang.OpNot || c.Op == lang.OpCompare && c.Operator == "!=" {
		return 1
	}
	c.Walk(func(e *lang.Expr) bool {
		if e.Op == lang.OpField && e.Operator == "service" || e.Calls("entersService") {
			w = 5
		}
		if e.Op == lang.OpField && e.Operator == "kind" {
			w = 1
		}
		return true
	})
	return w
}

// actual says what the operands of a condition are: kind is "server". The span or
// element that it is about has been bound.
func (x *explainer) actual(c *lang.Expr) string {
	return inWords(x.typed(c))
}

func inWords(parts []part) string {
	texts := make([]string, len(parts))
	for i, p := range parts {
		texts[i] = p.text
	}
	return enumerate(texts, "and")
}

// subject is the text of an operand without the dot of a closure.
func subject(e *lang.Expr) string {
	text := strings.TrimPrefix(oneLine(e.Text()), "it.")
	if strings.HasPrefix(text, ".") {
		return clone(text[1:])
	}
	return clone(text)
}

// operands are the parts of a condition whose values decide it: the sides of a
// comparison that are no constants, or what a word is applied to.
func operands(c *lang.Expr) []*lang.Expr {
	switch c.Op {
	case lang.OpAnd, lang.OpOr:
		return append(operands(c.Args[0]), operands(c.Args[1])...)
	case lang.OpNot:
		return operands(c.Args[0])
	case lang.OpField, lang.OpAttr:
		return []*lang.Expr{c}
	}
	var out []*lang.Expr
	for _, a := range c.Args {
		switch a.Op {
		case lang.OpLiteral, lang.OpParam, lang.OpClosure, lang.OpList, lang.OpElement:
		default:
			out = append(out, a)
		}
	}
	if len(out) == 0 && c.Type.Base == lang.TBool && c.Op == lang.OpCall {
		return []*lang.Expr{c}
	}
	return out
}
