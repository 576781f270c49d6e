package assertions

import (
	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/trace"
)

// whereFailed says of which span and which value an expression could not be evaluated.
func (x *explainer) whereFailed(d *lang.Doubt, c *lang.Expr) {
	if set := x.setThatFailed(d); set != nil {
		x.failedSelector(set)
		return
	}
	if text := x.erring(c); text != "" {
		x.Why += ": " + text
	}
}

// setThatFailed is the set whose selector met with the error.
func (x *explainer) setThatFailed(d *lang.Doubt) *tracker {
	for _, t := range x.in.sets {
		if t.failed == d {
			return t
		}
	}
	return nil
}

// failedSelector shows the spans about which a selector cannot be asked.
func (x *explainer) failedSelector(t *tracker) {
	for _, n := range x.frame.ByStart(x.in.sets[t.plan.base].members) {
		if !failed(t.plan.selector.Asked(x.frame, n)) {
			continue
		}
		text := x.erring(t.plan.selector)
		if x.Of == 0 {
			x.Why += ": " + in(text, x.label(element{Value: lang.SpanValue(n)}))
		}
		if text == "" {
			text = x.actual(x.erringPart(t.plan.selector))
		}
		x.span(n, "%s", text)
	}
	if decl := t.plan.decl; !decl.IsZero() && t.failed.To > t.failed.From {
		x.At = decl.At(t.failed.From, t.failed.To)
	}
	if t.plan.declared {
		x.note("It is the condition of the set %s that cannot be evaluated.", t.plan.name)
	}
}

func failed(v lang.Value) bool { return v.Doubt() != nil && v.Doubt().Why == lang.Failed }

// erring names the element of a closure for which a condition cannot be evaluated:
// "attrs.pw = 3 of payment/charge +20ms". What it is about has been bound.
func (x *explainer) erring(c *lang.Expr) string {
	part := x.erringPart(c)
	p := part.Closure()
	if p == nil {
		return ""
	}
	for _, elem := range x.ordered(part.Args[0]) {
		if x.tired() {
			return ""
		}
		if !failed(p.For(x.frame, elem.Value)) {
			continue
		}
		text := x.erring(p.Args[0])
		if n, ok := elem.Node(); ok {
			x.erringSpan(n, p, text)
		}
		return in(text, x.label(elem))
	}
	return ""
}

func (x *explainer) erringSpan(n trace.Node, p *lang.Expr, text string) {
	if text == "" {
		text = x.actual(x.erringPart(p.Args[0]))
	}
	x.span(n, "%s", text)
}

func in(inner, outer string) string {
	if inner == "" {
		return outer
	}
	return inner + " of " + outer
}

// erringPart is the innermost part of a condition, outside of closures, that cannot
// be evaluated.
func (x *explainer) erringPart(c *lang.Expr) *lang.Expr {
	if c.Op == lang.OpLet {
		return x.erringPart(c.Args[1])
	}
	for _, a := range c.Args {
		if a.Op != lang.OpClosure && failed(a.Value(x.frame)) {
			return x.erringPart(a)
		}
	}
	return c
}
