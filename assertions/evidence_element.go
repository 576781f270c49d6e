package assertions

import (
	"fmt"
	"slices"
	"strings"

	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/trace"
)

// element is what a closure is about, with the name under which it was read if it
// has one: the key of a map, or what stands in a list.
type element struct {
	lang.Value
	name string
}

// ordered are the elements that a closure runs over, spans by their start.
func (x *explainer) ordered(over *lang.Expr) []element {
	values := over.Elements(x.frame)
	out := make([]element, len(values))
	names := x.namesIn(over)
	var nodes []trace.Node
	for i, v := range values {
		out[i].Value = v
		if len(names) == len(values) {
			out[i].name = names[i]
		}
		if n, ok := v.Node(); ok {
			nodes = append(nodes, n)
		}
	}
	if len(nodes) == len(values) {
		for i, n := range x.frame.ByStart(nodes) {
			out[i] = element{Value: lang.SpanValue(n)}
		}
	}
	return out
}

// namesIn are the names of the elements of a list that is written in the file, of
// the values of a map and of groups.
func (x *explainer) namesIn(over *lang.Expr) (names []string) {
	switch {
	case over.Op == lang.OpList:
		for _, a := range over.Args {
			if a.Op == lang.OpLiteral {
				return nil
			}
			names = append(names, subject(a))
		}
	case over.Calls("values"):
		for _, key := range x.frame.Keys(over.Args[0].Value(x.frame)) {
			names = append(names, clone(key))
		}
	}
	return names
}

// label names one element: a span with its start, so that it can be found.
func (x *explainer) label(elem element) string {
	n, ok := elem.Node()
	if !ok && elem.name != "" {
		return elem.name + " = " + x.show(elem.Value)
	}
	if !ok {
		return x.show(elem.Value)
	}
	if x.frame.Origin == trace.None {
		return x.name(n)
	}
	return x.name(n) + " " + x.show(lang.TimeValue(x.flow.Span(n).Start()))
}

// listed names elements, the first three of them.
func (x *explainer) listed(elems []element) string {
	var names []string
	for _, e := range elems[:min(len(elems), 3)] {
		names = append(names, x.label(e))
	}
	if more := len(elems) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return enumerate(names, "and")
}

// nearness is how many conditions of a closure an element satisfies.
type nearness struct{ score, holds, of int }

// ranked are the elements, those first that satisfy most of a closure.
func (x *explainer) ranked(p *lang.Expr, elems []element) ([]element, nearness) {
	type candidate struct {
		elem element
		nearness
	}
	all := make([]candidate, len(elems))
	for i, elem := range elems {
		all[i] = candidate{elem, x.nearness(p, elem)}
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return b.score - a.score })
	out := make([]element, len(all))
	for i, c := range all {
		out[i] = c.elem
	}
	return out, all[0].nearness
}

func (x *explainer) nearness(p *lang.Expr, elem element) nearness {
	if x.hasLess(explaining / 2) {
		return nearness{} // the rest is for what is to be said of them
	}
	p.For(x.frame, elem.Value)
	parts := body(p).Conjuncts()
	n := nearness{of: len(parts)}
	for _, c := range parts {
		if c.Value(x.frame).True() {
			n.holds++
			n.score += weight(c)
		}
	}
	return n
}

// body is the condition of a closure behind what let binds.
func body(p *lang.Expr) *lang.Expr {
	c := p.Args[0]
	for c.Op == lang.OpLet {
		c = c.Args[1]
	}
	return c
}

// spread says what all elements have instead of what the first condition wants:
// each operand with its different values.
func (x *explainer) spread(p *lang.Expr, elems []element) string {
	first := body(p).Conjuncts()[0]
	if nests(first) || first.Op != lang.OpCompare && first.Op != lang.OpMatch {
		return ""
	}
	var parts []string
	for _, o := range operands(first) {
		var values []string
		for _, elem := range elems {
			p.For(x.frame, elem.Value)
			v := "missing"
			if got := o.Value(x.frame); got.Kind() != lang.Missing {
				v = x.show(got)
			}
			if !slices.Contains(values, v) {
				values = append(values, v)
			}
		}
		if len(values) > maxFacts {
			values = append(values[:maxFacts-1], fmt.Sprintf("%d more", len(values)-maxFacts+1))
		}
		parts = append(parts, subject(o)+" is "+enumerate(values, "or"))
	}
	return strings.Join(parts, "; ")
}
