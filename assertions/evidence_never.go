package assertions

import (
	"fmt"
	"strings"

	"github.com/followspan/followspan/trace"
)

// never explains spans that must not be: each with the chain that led to it.
func (x *explainer) never() {
	bad := x.in.sets[x.check.target]
	members := x.frame.ByStart(bad.members)
	x.Why = fmt.Sprintf("%s %s what must never be", counted(len(members), "span"), map[bool]string{true: "is", false: "are"}[len(members) == 1])
	for i, n := range members {
		if x.check.within > 0 && !x.soon(n) {
			continue
		}
		bad.plan.selector.BindSpan(x.frame, n)
		text := x.because(bad.plan.selector, true)
		if m := x.flow.Span(n).StatusMessage(); m != "" && !strings.Contains(text, m) {
			text += fmt.Sprintf(": %q", clone(m))
		}
		x.span(n, "%s", text)
		if i < 3 {
			if chain := x.chainAbove(n); chain != "" {
				x.note("%s is %s.", x.name(n), chain)
			}
		}
	}
	if len(members) > 0 {
		bad.plan.selector.BindSpan(x.frame, members[0])
		x.valuesOf(bad.plan.selector, x.check.source.At)
	}
}

func (x *explainer) soon(n trace.Node) bool {
	o, ok := x.flow.Origin()
	return !ok || x.flow.Span(n).Start() <= x.flow.Span(o).Start().Add(x.check.within)
}

// chainAbove is the way from a span up to the origin.
func (x *explainer) chainAbove(n trace.Node) string {
	var names []string
	origin, _ := x.flow.Origin()
	for at := n; at != origin && len(names) < 12; {
		p, rule := x.causeRule(at)
		if p == trace.None {
			break
		}
		name := x.name(p)
		if rule != trace.ByParent {
			name += " (by " + rule.String() + ")"
		}
		names = append(names, name)
		at = p
	}
	if len(names) == 0 {
		return ""
	}
	return "below " + strings.Join(names, ", ")
}

func (x *explainer) causeRule(n trace.Node) (trace.Node, trace.Rule) {
	if p, ok := x.flow.Parent(n); ok {
		return p, trace.ByParent
	}
	for m, rule := range x.flow.Causes(n) {
		return m, rule
	}
	return trace.None, trace.NoRule
}

// eachFailed explains the spans for which a check does not hold.
func (x *explainer) eachFailed() {
	bad, all := x.in.sets[x.check.target], x.in.sets[x.check.over].members
	members := x.frame.ByStart(bad.members)
	for i, n := range members {
		bad.plan.selector.BindSpan(x.frame, n)
		c := x.culprit(bad.plan.selector)
		text := x.because(c, false)
		if i == 0 {
			x.lone = text
			x.valuesOf(bad.plan.selector, x.check.source.At)
			if c != bad.plan.selector {
				x.At = x.check.source.At(c.From, c.To)
			}
			x.hints(x.typed(c))
		}
		x.span(n, "%s", text)
	}
	x.Why = fmt.Sprintf("%d of %s %s", len(members), counted(len(all), "span"), map[bool]string{true: "does not satisfy this", false: "do not satisfy this"}[len(members) == 1])
	if len(members) == 1 && x.lone != "" {
		x.Why = x.lone
		if len(all) > 1 {
			x.Why += fmt.Sprintf(" (1 of %d spans)", len(all))
		}
	}
}
