package assertions

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/trace"
)

// comparison explains a comparison by what it compares.
func (x *explainer) comparison(c *lang.Expr) {
	l, r := c.Args[0], c.Args[1]
	switch {
	case counts(l):
		x.count(c, l, r.Value(x.frame))
	case counts(r):
		x.count(c, r, l.Value(x.frame))
	case distinctOf(c) != nil && !distinctOf(c).Calls("count"):
		x.distribution(distinctOf(c))
	case l.Type.Base == lang.TDuration && r.Type.Base == lang.TDuration:
		x.timing(c)
	case l.Calls("criticalShare") || r.Calls("criticalShare"):
		x.share(c)
	default:
		x.data(c)
	}
}

// counts reports whether an expression is how many spans there are.
func counts(e *lang.Expr) bool {
	return e.Calls("count", "len") && (e.Args[0].IsSpans())
}

// timing explains a comparison of durations.
func (x *explainer) timing(c *lang.Expr) {
	measured, allowed := c.Args[0], c.Args[1]
	if _, constant := measured.Literal(); constant {
		measured, allowed = allowed, measured
	}
	m, a := measured.Value(x.frame), allowed.Value(x.frame)
	if m.Kind() == lang.Missing || a.Kind() == lang.Missing {
		x.data(c)
		return
	}
	limit := x.show(a)
	if _, constant := allowed.Literal(); !constant || allowed.Op == lang.OpParam {
		limit += ", " + subject(allowed)
	}
	x.Why = fmt.Sprintf("%s is %s, %s %s", subject(measured), x.show(m), c.Operator, limit)
	if _, constant := allowed.Literal(); constant {
		x.Why = fmt.Sprintf("%s is %s, %s", subject(measured), x.show(m), bound(c, measured, limit))
	}
	x.fact("measured", "%s", x.show(m))
	x.fact("allowed", "%s", x.show(a))
	x.contributors(measured)
}

// bound says what a comparison with a constant allows.
func bound(c, measured *lang.Expr, limit string) string {
	op := c.Operator
	if c.Args[1] == measured {
		op = mirrored[op]
	}
	switch op {
	case "<":
		return "less than " + limit + " allowed"
	case "<=":
		return "at most " + limit + " allowed"
	case ">":
		return "more than " + limit + " wanted"
	case ">=":
		return "at least " + limit + " wanted"
	case "==":
		return limit + " wanted"
	}
	return "anything but " + limit + " wanted"
}

// contributors shows the spans that a duration was measured on, and where the time
// of the longest went.
func (x *explainer) contributors(measured *lang.Expr) {
	nodes := x.subjects(measured)
	if len(nodes) == 0 {
		return
	}
	sorted := slices.Clone(nodes)
	slices.SortStableFunc(sorted, func(a, b trace.Node) int {
		return int(min(max(x.flow.Span(b).Duration()-x.flow.Span(a).Duration(), -1), 1))
	})
	if len(sorted) > 1 || measured.Op == lang.OpArith {
		for _, n := range sorted {
			x.onTime(n, "%s", lang.FormatDuration(x.flow.Span(n).Duration()))
		}
		slices.SortStableFunc(x.Timeline, func(a, b SpanNote) int { return int(min(max(a.Span.Start.Sub(b.Span.Start), -1), 1)) })
	} else {
		x.span(sorted[0], "")
	}
	x.parts(sorted[0])
}

// subjects are the spans that an expression reads.
func (x *explainer) subjects(e *lang.Expr) []trace.Node {
	var out []trace.Node
	e.Outside(func(p *lang.Expr) {
		if !p.IsSpans() || p.Op == lang.OpClosure {
			return
		}
		for _, n := range p.Value(x.frame).Nodes() {
			if !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
	})
	return out
}

// parts says where the time of a span went: the largest shares of its critical path.
func (x *explainer) parts(n trace.Node) {
	path, shares := x.frame.Critical(n)
	slices.SortStableFunc(path, func(a, b trace.Node) int { return int(min(max(shares[b]-shares[a], -1), 1)) })
	total := x.flow.Span(n).Duration()
	if len(path) < 2 || total <= 0 {
		return
	}
	var texts []string
	for _, p := range path[:min(len(path), 3)] {
		if shares[p] <= 0 {
			continue
		}
		name := x.name(p)
		if p == n {
			name += " itself"
		}
		texts = append(texts, fmt.Sprintf("%s %s (%d %%)", name, lang.FormatDuration(shares[p]), percent(shares[p], total)))
	}
	x.fact("largest parts", "%s", strings.Join(texts, ", "))
}

func percent(part, of time.Duration) int { return int((100*part + of/2) / of) }

// share explains criticalShare: who takes how much of the critical path.
func (x *explainer) share(c *lang.Expr) {
	call := c.Args[0]
	if !call.Calls("criticalShare") {
		call = c.Args[1]
	}
	x.data(c)
	x.Spans, x.Of = nil, 0
	if v, ok := call.Value(x.frame).Number(); ok {
		x.Why = fmt.Sprintf("the share is %.1f %%, %s", 100*v, bound(c, call, x.show(other(c, call).Value(x.frame))))
	}
	if nodes := call.Args[0].Value(x.frame).Nodes(); len(nodes) == 1 {
		x.parts(nodes[0])
		path, shares := x.frame.Critical(nodes[0])
		p := call.Closure()
		for _, n := range path {
			if p.For(x.frame, lang.SpanValue(n)).True() && shares[n] > 0 {
				x.span(n, "%s of it on the critical path", lang.FormatDuration(shares[n]))
			}
		}
	}
}

func other(c, one *lang.Expr) *lang.Expr {
	if c.Args[0] == one {
		return c.Args[1]
	}
	return c.Args[0]
}
