package assertions

import (
	"fmt"
	"slices"

	"github.com/followspan/followspan/assertions/internal/lang"
)

// because says in a few words why a condition is true or is not, of the elements
// that are bound. It goes into the closures of the condition: of those over which
// it does not hold it names the nearest, else who satisfies it.
func (x *explainer) because(c *lang.Expr, holds bool) string {
	switch {
	case c.Op == lang.OpLet:
		return x.because(c.Args[1], holds)
	case c.Op == lang.OpNot && nests(c):
		return x.because(c.Args[0], !holds)
	case c.Op == lang.OpAnd && !holds:
		return x.because(x.culprit(c), false)
	case c.Op == lang.OpAnd || c.Op == lang.OpOr && !holds && nests(c):
		return enumerate(x.reasons(c.Args, holds), "and")
	case c.Op == lang.OpOr && nests(c):
		return x.because(x.firstThat(disjuncts(c), lang.Value.True), true)
	case c.Calls("any", "all", "none", "one"):
		return x.inner(c, holds)
	}
	if call, limit := counting(c); call != nil {
		return x.innerCount(c, call, limit)
	}
	parts := slices.DeleteFunc(x.typed(c), func(p part) bool { return ofElement(p.expr) })
	if holds && c.Op == lang.OpCompare && c.Operator == "==" && len(parts) == 2 {
		parts = parts[:1] // the other is the same
	}
	text := inWords(parts)
	if limit := x.limit(c); c.Op == lang.OpCompare && !holds && limit != "" {
		text += ", " + limit
	}
	return text
}

// ofElement reports whether an operand is a word about the element itself, which is
// named beside it anyway.
func ofElement(e *lang.Expr) bool {
	return e.Op == lang.OpCall && (e.Type.Base == lang.TBool || e.Calls("string")) && !slices.ContainsFunc(e.Args, func(a *lang.Expr) bool {
		return a.Op != lang.OpLiteral && (a.Op != lang.OpElement || a.IsSpans())
	})
}

func (x *explainer) reasons(parts []*lang.Expr, holds bool) []string {
	var out []string
	for _, p := range parts {
		if text := x.because(p, holds); text != "" {
			out = append(out, text)
		}
	}
	return out
}

// nests reports whether a condition has closures of its own.
func nests(c *lang.Expr) bool {
	found := false
	c.Walk(func(e *lang.Expr) bool {
		found = found || e.Op == lang.OpClosure
		return !found
	})
	return found
}

// counting is the count(x, P) that a comparison is about, and its limit.
func counting(c *lang.Expr) (call *lang.Expr, limit lang.Value) {
	if c.Op != lang.OpCompare {
		return nil, lang.Value{}
	}
	for i, a := range c.Args {
		if v, constant := c.Args[1-i].Literal(); constant && a.Calls("count") && a.Closure() != nil {
			return a, v
		}
	}
	return nil, lang.Value{}
}

// inner explains a closure within a closure.
func (x *explainer) inner(c *lang.Expr, holds bool) string {
	over, p := c.Args[0], c.Closure()
	elems := x.ordered(over)
	if len(elems) == 0 {
		return x.nothingIn(over)
	}
	good, bad := x.parted(p, elems)
	switch {
	case c.Calls("all") && !holds && len(elems) > 1:
		verb := "does"
		if len(bad) > 1 {
			verb = "do"
		}
		return fmt.Sprintf("%d of %s %s not satisfy it, %s", len(bad), x.these(over, elems), verb, x.named(p, bad[0]))
	case len(good) == 0 || c.Calls("all") && !holds:
		return x.none(over, p, elems)
	case len(good) == 1:
		return x.of(p, good[0], true)
	}
	return fmt.Sprintf("%d of %s satisfy it: %s", len(good), x.these(over, elems), x.listed(good))
}

// innerCount explains how many satisfy a closure within a closure.
func (x *explainer) innerCount(c, call *lang.Expr, limit lang.Value) string {
	over := call.Args[0]
	elems := x.ordered(over)
	good, _ := x.parted(call.Closure(), elems)
	operator := c.Operator
	if c.Args[1] == call {
		operator = mirrored[operator]
	}
	_, asked := asks(operator, len(good), limit.Int())
	switch {
	case len(elems) == 0:
		return x.nothingIn(over) + ", " + asked
	case len(good) == 0:
		return asked + ", " + x.none(over, call.Closure(), elems)
	}
	return fmt.Sprintf("%d of %s, %s: %s", len(good), x.these(over, elems), asked, x.listed(good))
}

// nothingIn says that what a closure runs over is empty. What came nearest to a
// declared set is shown when the elements are done with.
func (x *explainer) nothingIn(over *lang.Expr) string {
	if plan := x.setOf(over); plan != nil {
		x.lacks = plan
		return "no span matches " + oneLine(over.Text())
	}
	return "there is nothing in " + oneLine(over.Text())
}

// these are the elements that a closure runs over, with the name of where they are
// from if it is short.
func (x *explainer) these(over *lang.Expr, elems []element) string {
	text := fmt.Sprintf("the %d", len(elems))
	if over.Op == lang.OpSet || over.Op == lang.OpField {
		text += " in " + subject(over)
	}
	return text
}

// parted are the elements that satisfy a closure, and those that do not.
func (x *explainer) parted(p *lang.Expr, elems []element) (good, bad []element) {
	for _, elem := range elems {
		if x.tired() {
			break
		}
		if p.For(x.frame, elem.Value).True() {
			good = append(good, elem)
		} else {
			bad = append(bad, elem)
		}
	}
	return good, bad
}

// of says why a closure holds for one element or does not.
func (x *explainer) of(p *lang.Expr, elem element, holds bool) string {
	verb := " does not satisfy "
	if holds {
		verb = " satisfies "
	}
	if text := x.whyFor(p, elem, holds); text != "" {
		return x.label(elem) + verb + "it: " + text
	}
	return x.label(elem) + verb + oneLine(p.Args[0].Text())
}

// whyFor is because of one element.
func (x *explainer) whyFor(p *lang.Expr, elem element, holds bool) string {
	p.For(x.frame, elem.Value)
	return x.because(p.Args[0], holds)
}

// named names an element and why a closure does not hold for it.
func (x *explainer) named(p *lang.Expr, elem element) string {
	if text := x.whyFor(p, elem, false); text != "" {
		return x.label(elem) + ": " + text
	}
	return x.label(elem)
}

// none says that no element satisfies a closure, and which one comes nearest. If
// none satisfies any part of it, it says what they have instead.
func (x *explainer) none(over, p *lang.Expr, elems []element) string {
	if len(elems) == 1 {
		return x.of(p, elems[0], false)
	}
	ranked, best := x.ranked(p, elems)
	text := fmt.Sprintf("none of %s satisfies it", x.these(over, elems))
	if best.holds == 0 {
		if others := x.spread(p, elems); others != "" {
			return text + ": " + others
		}
	}
	nearest := x.named(p, ranked[0])
	if best.of > 1 {
		return fmt.Sprintf("%s; %d of %d conditions hold for %s", text, best.holds, best.of, nearest)
	}
	return text + "; the nearest is " + nearest
}
