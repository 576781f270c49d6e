package lang

import (
	"slices"

	"github.com/followspan/followspan/trace"
)

func runOverlapping(f *Frame, e *Expr) (Value, *Doubt) {
	nodes, d := e.spans(f, 0)
	if len(nodes) == 0 {
		if d != nil {
			return unknown(d), nil
		}
		return no, nil
	}
	lastStart, firstEnd := nodes[0], nodes[0]
	for _, n := range nodes {
		f.step(1)
		if f.span(n).Start() > f.span(lastStart).Start() {
			lastStart = n
		}
		if f.span(n).End() < f.span(firstEnd).End() {
			firstEnd = n
		}
	}
	holds := f.span(lastStart).Start() < f.span(firstEnd).End()
	return e.certain(f, holds, firstEnd, lastStart, d)
}

// certain is a finding about the end of a and the start of b, unless their clocks
// leave it open.
func (e *Expr) certain(f *Frame, holds bool, a, b trace.Node, d *Doubt) (Value, *Doubt) {
	if a == b || f.sameProcess(a, b) {
		return boolValue(holds), d
	}
	if f.Open {
		return unknown(arriving), nil
	}
	o := f.Order().EndBeforeStart(a, b)
	if o.Order == trace.OrderUnknown {
		return unknown(worse(d, e.unordered(f, Clocked{a, b, o}))), nil
	}
	return boolValue(holds), d
}

func (f *Frame) sameProcess(a, b trace.Node) bool {
	p := f.span(a).Resource().Process()
	return p != "" && p == f.span(b).Resource().Process()
}

func runSequential(f *Frame, e *Expr) (Value, *Doubt) {
	nodes, d := e.spans(f, 0)
	var last trace.Node // the one that ends last so far: only it can reach into the next
	for i, n := range f.ByStart(nodes) {
		f.step(1)
		if i > 0 && f.span(n).Start() < f.span(last).End() {
			if v, _ := e.certain(f, false, last, n, nil); v.kind == Unknown {
				return v, nil
			}
			return no, nil
		}
		if i == 0 || f.span(n).End() > f.span(last).End() {
			last = n
		}
	}
	return yes, d
}

func runMaxConcurrency(f *Frame, e *Expr) (Value, *Doubt) {
	nodes, d := e.spans(f, 0)
	return intValue(int64(f.Peak(nodes))), d
}

// Peak is how many of the spans ran at once. Touching ends do not overlap.
func (f *Frame) Peak(nodes []trace.Node) int {
	f.step(len(nodes))
	starts, ends := make([]trace.Time, len(nodes)), make([]trace.Time, len(nodes))
	for i, n := range nodes {
		starts[i], ends[i] = f.span(n).Start(), f.span(n).End()
	}
	slices.Sort(starts)
	slices.Sort(ends)
	peak, ended := 0, 0
	for i, s := range starts {
		for ends[ended] <= s {
			ended++
		}
		peak = max(peak, i+1-ended)
	}
	return peak
}
