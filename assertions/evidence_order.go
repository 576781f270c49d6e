package assertions

import (
	"fmt"

	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/trace"
)

// order explains why every a is not before every b.
func (x *explainer) order(a, b *lang.Expr) {
	before, after := a.Value(x.frame).Nodes(), b.Value(x.frame).Nodes()
	switch {
	case len(before) == 0:
		x.nothing(a)
		return
	case len(after) == 0:
		x.nothing(b)
		return
	}
	w := x.frame.WrongPair(before, after)
	x.Why = fmt.Sprintf("%s ends %s after %s starts", x.name(w.A), lang.FormatDuration(-w.Gap), x.name(w.B))
	if w.Gap >= 0 {
		x.Why = fmt.Sprintf("%s does not end before %s starts", x.name(w.A), x.name(w.B))
	}
	x.onTime(w.A, "should have ended before")
	x.onTime(w.B, "should have started after")
	x.basis(w)
	x.fact("wrong by", "%s", lang.FormatDuration(-w.Gap))
	if n := x.wrongPairs(before, after); n > 1 {
		x.note("%d pairs of spans are in the wrong order; this is one of them.", n)
	}
}

func (x *explainer) wrongPairs(a, b []trace.Node) (n int) {
	if len(a)*len(b) > 1000 {
		return 0
	}
	order := x.frame.Order()
	for _, p := range a {
		for _, q := range b {
			if order.EndBeforeStart(p, q).Order == trace.NotBefore {
				n++
			}
		}
	}
	return n
}

// basis says which rule ordered two spans, and how sure it is.
func (x *explainer) basis(w lang.Clocked) {
	if text, ok := x.nested(w.A, w.B); ok {
		x.fact("known by", "%s", text)
		return
	}
	switch w.By {
	case trace.ByProcess:
		x.fact("clocks", "both times are of one process")
	case trace.ByHost:
		x.fact("clocks", "both were read on one host, so they are comparable to %s", lang.FormatDuration(w.Uncertainty))
	case trace.ByCausality:
		x.fact("known by", "a chain of calls and messages between them")
	case trace.ByClocks:
		x.fact("clocks", "different hosts, whose clocks differ by no more than what %s allows", lang.FormatDuration(w.Uncertainty))
	}
}

// nested says that one span runs within the other, if it does.
func (x *explainer) nested(a, b trace.Node) (string, bool) {
	for _, pair := range [][2]trace.Node{{a, b}, {b, a}} {
		for p, ok := x.flow.Parent(pair[0]); ok; p, ok = x.flow.Parent(p) {
			if p == pair[1] {
				return fmt.Sprintf("%s is called within %s, so neither is over before the other starts", x.name(pair[0]), x.name(p)), true
			}
		}
	}
	return "", false
}

// clocks shows the pair whose order is not known.
func (x *explainer) clocks() {
	c := x.culprit(x.check.that)
	var sets [][]trace.Node
	if c.Op == lang.OpCall {
		for _, a := range c.Args {
			if a.IsSpans() {
				sets = append(sets, a.Value(x.frame).Nodes())
			}
		}
	}
	for _, s := range sets {
		for i, n := range s {
			if i < 3 {
				x.onTime(n, "")
			}
		}
	}
}

// concurrency explains overlapping and sequential: all spans on one timeline.
func (x *explainer) concurrency(c *lang.Expr) {
	nodes := x.frame.ByStart(c.Args[0].Value(x.frame).Nodes())
	if len(nodes) == 0 {
		x.nothing(c.Args[0])
		return
	}
	for _, n := range nodes {
		x.onTime(n, "")
	}
	peak := x.frame.Peak(nodes)
	x.fact("at once", "at most %d of %d", peak, len(nodes))
	overlaps := c.Calls("overlapping")
	if c.Value(x.frame).True() { // it stood under a not
		if overlaps {
			x.Why = fmt.Sprintf("all %d spans share one instant", len(nodes))
		} else {
			x.Why = fmt.Sprintf("no two of the %d spans overlap: they ran one after another", len(nodes))
		}
		return
	}
	for i := 1; i < len(nodes); i++ {
		a, b := x.flow.Span(nodes[i-1]), x.flow.Span(nodes[i])
		gap := b.Start().Sub(a.End())
		switch {
		case overlaps && gap >= 0:
			x.Why = fmt.Sprintf("%s ends %s before %s starts", x.name(nodes[i-1]), lang.FormatDuration(gap), x.name(nodes[i]))
			if peak == 1 {
				x.Why += ": they ran one after another"
			}
			return
		case !overlaps && gap < 0:
			x.Why = fmt.Sprintf("%s starts %s before %s ends", x.name(nodes[i]), lang.FormatDuration(-gap), x.name(nodes[i-1]))
			return
		}
	}
	x.Why = fmt.Sprintf("the %d spans share no instant", len(nodes))
	if !overlaps {
		x.Why = fmt.Sprintf("two of the %d spans overlap", len(nodes))
	}
}

// brokenChain explains inOrder.
func (x *explainer) brokenChain(c *lang.Expr) {
	sets := make([][]trace.Node, len(c.Args))
	names := make([]string, len(c.Args))
	for i, a := range c.Args {
		sets[i], names[i] = x.frame.ByStart(a.Value(x.frame).Nodes()), oneLine(a.Text())
		if len(sets[i]) == 0 {
			x.nothing(a)
			return
		}
	}
	x.chain(sets, names)
}

// chainBroken explains the line of a sequence at which the order breaks.
func (x *explainer) chainBroken(chain []int) {
	sets := make([][]trace.Node, len(chain))
	names := make([]string, len(chain))
	for i, s := range chain {
		sets[i], names[i] = x.frame.ByStart(x.in.sets[s].members), x.in.arrowOf(s)
	}
	x.chain(sets, names)
}

func (x *explainer) chain(sets [][]trace.Node, names []string) {
	chosen, broke, _ := x.frame.Chain(sets)
	if broke == 0 || broke >= len(sets) {
		return
	}
	last := chosen[len(chosen)-1]
	late := sets[broke][len(sets[broke])-1]
	gap := x.flow.Span(last).Start().Sub(x.flow.Span(late).Start())
	x.Why = fmt.Sprintf("%s starts %s before %s, which should come first", x.name(late), lang.FormatDuration(gap), x.name(last))
	x.onTime(late, "%s", names[broke])
	x.onTime(last, "%s", names[broke-1])
	x.basis(lang.Clocked{A: last, B: late, Ordering: x.frame.Order().StartBeforeStart(last, late)})
}

// arrowOf is the line that a set of calls was made for.
func (in *Instance) arrowOf(set int) string {
	for _, k := range in.flow.plan.checks {
		if k.arrow != nil && k.target == set {
			return k.assertion.Name
		}
	}
	return in.flow.plan.names[set]
}
