package assertions

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/trace"
)

// closure explains any, all, none and one.
func (x *explainer) closure(c *lang.Expr) {
	over, p := c.Args[0], c.Closure()
	if len(over.Elements(x.frame)) == 0 {
		x.nothing(over)
		x.Why = "there is nothing in " + oneLine(over.Text()) + ", and " + c.Word.Name + "() over nothing proves nothing"
		return
	}
	x.blameWithin(p)
	elems := x.ordered(over)
	switch holds := c.Value(x.frame).True(); {
	case c.Calls("all") && !holds:
		x.counterexamples(elems, p, false)
	case c.Calls("any") && !holds, c.Calls("none") && holds, c.Calls("one") && !holds && x.noneSatisfies(p, elems):
		x.noneOf(elems, p)
	default:
		x.counterexamples(elems, p, true)
	}
	if x.lacks != nil {
		x.missing(x.lacks)
	}
}

func (x *explainer) noneSatisfies(p *lang.Expr, elems []element) bool {
	good, _ := x.parted(p, elems)
	return len(good) == 0
}

// blameWithin points at a part of a closure.
func (x *explainer) blameWithin(c *lang.Expr) {
	if !x.check.source.IsZero() && x.check.target < 0 {
		x.At = x.check.source.At(c.From, c.To)
	}
}

// noneOf shows the elements that come nearest to satisfying a closure.
func (x *explainer) noneOf(elems []element, p *lang.Expr) {
	ranked, _ := x.ranked(p, elems)
	x.counterexamples(ranked, p, false)
	if n := len(elems); n > 1 {
		x.Why = fmt.Sprintf("none of the %d satisfies this", n)
		x.Spans = x.Spans[:min(len(x.Spans), 3)]
	}
}

// counterexamples shows the elements for which a closure is what it should not be.
func (x *explainer) counterexamples(elems []element, p *lang.Expr, wrong bool) {
	bad := 0
	blamed := map[*lang.Expr]bool{}
	for _, elem := range elems {
		if x.tired() {
			break
		}
		v := p.For(x.frame, elem.Value)
		if wrong && !v.True() || !wrong && !fails(v) {
			continue
		}
		if bad++; bad <= maxSpans {
			c := p.Args[0]
			if !wrong {
				c = x.culprit(c)
				blamed[c] = true
			}
			x.counterexample(c, elem, wrong)
		}
	}
	for c := range blamed {
		if len(blamed) == 1 {
			x.blameWithin(c)
		}
	}
	noun := "span"
	if len(elems) > 0 && elems[0].Kind() != lang.Span {
		noun = "value"
		switch elems[0].Kind() {
		case lang.Set:
			noun = "group"
		case lang.Run:
			noun = "run"
		}
	}
	verb := "does not satisfy this"
	switch {
	case wrong && bad == 1:
		verb = "satisfies this"
	case wrong:
		verb = "satisfy this"
	case bad > 1:
		verb = "do not satisfy this"
	}
	least := ""
	if x.tired() {
		least = "at least "
	}
	x.Why = fmt.Sprintf("%s%d of %s %s", least, bad, counted(len(elems), noun), verb)
	if bad == 1 && len(elems) == 1 && x.lone != "" {
		x.Why = x.lone
	}
}

// counterexample says what the operands of a closure's condition are for one element.
func (x *explainer) counterexample(c *lang.Expr, elem element, wrong bool) {
	text := x.because(c, wrong)
	if n, ok := elem.Node(); ok {
		if c.Op != lang.OpCompare || c.Args[0].Op != lang.OpElement {
			x.lone = text
		}
		x.span(n, "%s", text)
		return
	}
	if nodes := elem.Nodes(); len(nodes) > 0 {
		x.group(elem, nodes, c, text)
		return
	}
	value := x.show(elem.Value)
	switch {
	case len(x.Facts) == maxFacts:
	case elem.name != "":
		x.fact(elem.name, "%s", value)
	case elem.Kind() == lang.Run || nests(c):
		x.fact(value, "%s", text)
	default:
		x.fact("value", "%s", value)
	}
}

// maxFacts is how many values that are no spans are listed.
const maxFacts = 5

// limit is what a comparison allows, if the other side is not a constant that
// stands beside it anyway.
func (x *explainer) limit(c *lang.Expr) string {
	for _, a := range c.Args {
		if a.Op == lang.OpParam {
			return a.Operator + " is " + x.show(a.Value(x.frame))
		}
	}
	return ""
}

// group explains a group of spans that is wrong as a whole.
func (x *explainer) group(elem element, nodes []trace.Node, c *lang.Expr, text string) {
	if distinct := distinctOf(c); distinct != nil {
		x.distribution(distinct)
		return
	}
	x.fact(cmp.Or(elem.name, "group"), "%s of %s: %s", counted(len(nodes), "span"), x.name(nodes[0]), text)
	for _, n := range nodes {
		x.span(n, "")
	}
}

// distinctOf finds the distinct(…) whose length a comparison is about.
func distinctOf(c *lang.Expr) *lang.Expr {
	var found *lang.Expr
	c.Walk(func(e *lang.Expr) bool {
		if e.Calls("distinct") && found == nil {
			found = e
		}
		return found == nil
	})
	return found
}

// distribution says which services have which of the values that should be few.
func (x *explainer) distribution(distinct *lang.Expr) {
	type group struct {
		value    string
		services []string
		nodes    []trace.Node
	}
	var groups []*group
	find := func(value string) *group {
		for _, g := range groups {
			if g.value == value {
				return g
			}
		}
		groups = append(groups, &group{value: value})
		return groups[len(groups)-1]
	}
	for _, elem := range x.ordered(distinct.Args[0]) {
		n, ok := elem.Node()
		v := elem.Value
		if p := distinct.Closure(); p != nil {
			v = p.For(x.frame, elem.Value)
		}
		if !ok || v.Kind() == lang.Missing {
			continue
		}
		g := find(x.show(v))
		g.nodes = append(g.nodes, n)
		if s := clone(x.flow.Span(n).Service()); !slices.Contains(g.services, s) {
			g.services = append(g.services, s)
		}
	}
	slices.SortStableFunc(groups, func(a, b *group) int {
		return cmp.Or(len(b.services)-len(a.services), len(b.nodes)-len(a.nodes))
	})
	key := "value"
	if p := distinct.Closure(); p != nil {
		key = subject(p)
	}
	var values []string
	for i, g := range groups {
		if i < maxFacts {
			x.fact(g.value, "%s of %s", counted(len(g.nodes), "span"), enumerate(g.services, "and"))
			values = append(values, g.value)
		}
		if i > 0 {
			for _, n := range g.nodes[:min(len(g.nodes), 3)] {
				x.span(n, "%s is %s", key, g.value)
			}
		}
	}
	if len(groups) == 0 {
		x.Why = "no span has " + key
		return
	}
	x.Why = fmt.Sprintf("%s has %d values: %s", key, len(groups), strings.Join(values, ", "))
	if len(groups) == 2 {
		x.Why += fmt.Sprintf("; %s differ%s from the others", enumerate(groups[1].services, "and"), map[bool]string{true: "s"}[len(groups[1].services) == 1])
	}
}
