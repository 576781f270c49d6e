package assertions

import (
	"fmt"
	"slices"
	"strings"

	"github.com/followspan/followspan/assertions/internal/lang"
)

// culprit is the innermost part of a condition because of which it does not hold.
func (x *explainer) culprit(e *lang.Expr) *lang.Expr {
	switch e.Op {
	case lang.OpAnd:
		if part := x.firstThat(e.Conjuncts(), fails); part != nil {
			return x.culprit(part)
		}
		if part := x.firstThat(e.Conjuncts(), func(v lang.Value) bool { return !v.True() }); part != nil {
			return x.culprit(part)
		}
	case lang.OpLet:
		return x.culprit(e.Args[1])
	case lang.OpIf:
		if e.Args[0].Value(x.frame).True() {
			return x.culprit(e.Args[1])
		}
		return x.culprit(e.Args[2])
	}
	return e
}

// fails reports whether a condition does not hold, whatever else arrives.
func fails(v lang.Value) bool { return v.False() || v.Kind() == lang.Missing }

func (x *explainer) firstThat(parts []*lang.Expr, is func(lang.Value) bool) *lang.Expr {
	for _, p := range parts {
		if is(p.Value(x.frame)) {
			return p
		}
	}
	return nil
}

// culprits are all parts of a condition because of which it does not hold.
func (x *explainer) culprits(e *lang.Expr) []*lang.Expr {
	var out []*lang.Expr
	for _, c := range e.Conjuncts() {
		if fails(c.Value(x.frame)) {
			out = append(out, c)
		}
	}
	return out
}

// maxParts is how many parts of one condition are explained.
const maxParts = 5

// together explains several conditions, none of which holds though all should.
func (x *explainer) together(parts []*lang.Expr) {
	var whys []string
	for i, c := range parts {
		if i == maxParts {
			whys = append(whys, fmt.Sprintf("%d more", len(parts)-i))
			break
		}
		inner := x.alone(c)
		whys = append(whys, oneLine(c.Text())+" ("+inner.Why+")")
		x.add(inner.Evidence)
	}
	x.Why = enumerate(whys, "and")
}

// alone explains one part by itself.
func (x *explainer) alone(c *lang.Expr) *explainer {
	inner := &explainer{Evidence: &Evidence{}, in: x.in, check: x.check, flow: x.flow, frame: x.frame, v: x.v}
	inner.part(x.culprit(c))
	return inner
}

// add takes over what another part has to show.
func (x *explainer) add(e *Evidence) {
	x.Facts = append(x.Facts, e.Facts...)
	for _, s := range e.Spans {
		if len(x.Spans) < maxSpans {
			x.Spans = append(x.Spans, s)
		}
	}
	x.Of += e.Of
	x.Timeline = append(x.Timeline, e.Timeline...)
	x.Near = append(x.Near, e.Near...)
	for _, n := range e.Notes {
		if !slices.Contains(x.Notes, n) {
			x.Notes = append(x.Notes, n)
		}
	}
	x.Try = append(x.Try, e.Try...)
}

// negated explains not X, where X holds or is missing.
func (x *explainer) negated(c *lang.Expr) {
	inner := c.Args[0]
	switch {
	case inner.Value(x.frame).Kind() == lang.Missing:
		x.data(inner)
		x.note("What is missing is neither true nor false, so not does not make it hold.")
	case inner.Calls("sequential", "overlapping"):
		x.concurrency(inner)
	case inner.Calls("exists"):
		x.present(inner.Args[0])
	case inner.Calls("any", "all", "none", "one") && len(inner.Args[0].Elements(x.frame)) > 0:
		x.closure(inner)
	case inner.Calls("calls", "callsDirectly", "causes"):
		x.related(inner, inner.Args[0], inner.Args[1])
	case inner.Calls("causedBy"):
		x.related(inner, inner.Args[1], inner.Args[0])
	default:
		x.Why = oneLine(inner.Text()) + " holds"
		if text := x.because(inner, true); inner.Op != lang.OpField && inner.Op != lang.OpAttr && text != "" {
			x.Why += ": " + text
		}
		x.readings(inner)
	}
}

// neither explains a or b, of which none holds. That a set is not empty is no
// reason where it is only an exception: all(x, …) or x.empty.
func (x *explainer) neither(c *lang.Expr) {
	parts := disjuncts(c)
	if rules := slices.DeleteFunc(slices.Clone(parts), func(p *lang.Expr) bool { return p.Calls("empty") }); len(rules) > 0 {
		parts = rules
	}
	if len(parts) == 1 {
		x.blame(parts[0])
		x.part(x.culprit(parts[0]))
		return
	}
	var whys []string
	for i, part := range parts {
		inner := x.alone(part)
		whys = append(whys, oneLine(part.Text())+" ("+inner.Why+")")
		if i == 0 {
			values := x.Values
			*x.Evidence = *inner.Evidence
			x.Values = values
		}
	}
	x.Why = "none of these holds: " + strings.Join(whys, "; ")
}

func disjuncts(e *lang.Expr) []*lang.Expr {
	if e.Op != lang.OpOr {
		return []*lang.Expr{e}
	}
	return append(disjuncts(e.Args[0]), disjuncts(e.Args[1])...)
}
