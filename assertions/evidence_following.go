package assertions

import (
	"fmt"
	"slices"
	"time"

	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/trace"
)

// following explains followedBy and precededBy: the first span without a partner.
func (x *explainer) following(c *lang.Expr) {
	mine, theirs := c.Args[0].Value(x.frame).Nodes(), c.Args[1].Value(x.frame).Nodes()
	switch {
	case len(mine) == 0:
		x.nothing(c.Args[0])
		return
	case len(theirs) == 0:
		x.nothing(c.Args[1])
		return
	}
	forward := c.Calls("followedBy")
	for _, n := range x.frame.ByStart(mine) {
		m, o := x.partner(n, theirs, forward)
		if x.allowed(c, o) {
			continue
		}
		x.apart(c, n, m, o, forward)
		return
	}
}

// allowed reports whether a partner is where it should be.
func (x *explainer) allowed(c *lang.Expr, o trace.Ordering) bool {
	if o.Order != trace.Before {
		return false
	}
	return len(c.Args) < 3 || o.Gap <= c.Args[2].Value(x.frame).Duration()
}

// partner is the nearest span on the right side of n, else the nearest at all.
func (x *explainer) partner(n trace.Node, among []trace.Node, forward bool) (trace.Node, trace.Ordering) {
	best, found := trace.None, trace.Ordering{}
	order := x.frame.Order()
	for _, m := range among {
		a, b := n, m
		if !forward {
			a, b = m, n
		}
		o := order.EndBeforeStart(a, b)
		right := o.Order == trace.Before
		switch had := found.Order == trace.Before; {
		case best == trace.None, right && !had, right == had && o.Gap.Abs() < found.Gap.Abs():
			best, found = m, o
		}
	}
	return best, found
}

// apart explains the distance of two spans that should be near each other.
func (x *explainer) apart(c *lang.Expr, n, m trace.Node, o trace.Ordering, forward bool) {
	a, b := n, m
	if !forward {
		a, b = m, n
	}
	x.onTime(a, "")
	x.onTime(b, "")
	if o.Order != trace.Before {
		x.Why = fmt.Sprintf("%s has no later %s: the nearest starts %s before it ends", x.name(a), oneLine(c.Args[1].Text()), lang.FormatDuration(-o.Gap))
		if !forward {
			x.Why = fmt.Sprintf("%s has no earlier %s: the nearest ends %s after it starts", x.name(b), oneLine(c.Args[1].Text()), lang.FormatDuration(-o.Gap))
		}
		return
	}
	limit := c.Args[2].Value(x.frame).Duration()
	x.Why = fmt.Sprintf("%s starts %s after %s ends, %s allowed", x.name(b), lang.FormatDuration(o.Gap), x.name(a), lang.FormatDuration(limit))
	x.fact("measured", "%s, from the end of %s to the start of %s", lang.FormatDuration(o.Gap), x.name(a), x.name(b))
	x.fact("allowed", "%s", lang.FormatDuration(limit))
	x.between(a, b)
}

// between finds where the time between two spans went: the longest step of the
// chain of causes that leads to b.
func (x *explainer) between(a, b trace.Node) {
	type step struct {
		from, to trace.Node
		took     time.Duration
		message  bool
	}
	var longest step
	from := x.flow.Span(a).End()
	for at := b; ; {
		cause, message := x.cause(at)
		if cause == trace.None {
			break
		}
		begin := x.flow.Span(cause).Start()
		if message {
			begin = x.flow.Span(cause).End()
		}
		took := x.flow.Span(at).Start().Sub(max(begin, from))
		if took > longest.took {
			longest = step{cause, at, took, message}
		}
		if begin <= from {
			break
		}
		at = cause
	}
	switch {
	case longest.took <= 0:
	case longest.message:
		x.fact("largest part", "%s between %s and %s: the message waited", lang.FormatDuration(longest.took), x.name(longest.from), x.name(longest.to))
		x.insert(longest.from)
		x.insert(longest.to)
	default:
		x.fact("largest part", "%s within %s before it started %s", lang.FormatDuration(longest.took), x.name(longest.from), x.name(longest.to))
		x.insert(longest.from)
	}
}

// cause is what a span follows from directly.
func (x *explainer) cause(n trace.Node) (trace.Node, bool) {
	for m := range x.flow.Causes(n) {
		return m, true
	}
	if p, ok := x.flow.Parent(n); ok {
		return p, false
	}
	return trace.None, false
}

// insert puts a span on the timeline in the order of the starts.
func (x *explainer) insert(n trace.Node) {
	r := x.ref(n)
	if slices.ContainsFunc(x.Timeline, func(s SpanNote) bool { return s.Span.Node == n }) {
		return
	}
	x.Timeline = append(x.Timeline, SpanNote{Span: r})
	slices.SortStableFunc(x.Timeline, func(a, b SpanNote) int { return int(min(max(a.Span.Start.Sub(b.Span.Start), -1), 1)) })
}
