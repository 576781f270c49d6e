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
	var doubt *Doubt
	for _, x := range f.extremes(nodes, func(a, b trace.Span) bool { return a.End() < b.End() }) {
		for _, y := range f.extremes(nodes, func(a, b trace.Span) bool { return a.Start() > b.Start() }) {
			if f.step(1); x == y {
				continue
			}
			switch v := e.endsFirst(f, x, y); {
			case v.kind == Unknown:
				doubt = worse(doubt, v.Doubt())
			case v.True():
				return no, d
			}
		}
	}
	if doubt != nil {
		return unknown(worse(doubt, d)), nil
	}
	return yes, d
}

// endsFirst says whether a ended before b started, or when it did, unless their clocks
// leave it open.
func (e *Expr) endsFirst(f *Frame, a, b trace.Node) Value {
	if f.oneClock(a, b) {
		return boolValue(f.span(a).End() <= f.span(b).Start())
	}
	if f.Open {
		return unknown(arriving)
	}
	o := f.Order().EndBeforeStart(a, b)
	if o.Order == trace.OrderUnknown {
		return unknown(e.unordered(f, Clocked{a, b, o}))
	}
	return boolValue(o.Order == trace.Before)
}

// oneClock reports whether all times of two spans are there and of one process.
func (f *Frame) oneClock(a, b trace.Node) bool {
	if took(f.span(a)) == missing || took(f.span(b)) == missing {
		return false
	}
	return f.sameProcess(a, b) || !f.Open && f.Order().Process(a) == f.Order().Process(b)
}

func (f *Frame) sameProcess(a, b trace.Node) bool {
	p := f.span(a).Resource().Process()
	return p != "" && p == f.span(b).Resource().Process()
}

func runSequential(f *Frame, e *Expr) (Value, *Doubt) {
	nodes, d := e.spans(f, 0)
	nodes = f.ByStart(nodes)
	var doubt *Doubt
	last := nodes[:0] // the one that ends last so far: by one clock only it can reach into the next
	for i, n := range nodes {
		earlier := last
		if len(nodes) <= small {
			earlier = nodes[:i]
		}
		for _, m := range earlier {
			f.step(1)
			switch v := e.apart(f, m, n); {
			case v.kind == Unknown:
				doubt = worse(doubt, v.Doubt())
			case !v.True():
				return no, nil
			}
		}
		if len(last) == 0 || f.span(n).End() > f.span(last[0]).End() {
			last = nodes[i : i+1]
		}
	}
	if doubt != nil {
		return unknown(worse(doubt, d)), nil
	}
	return yes, d
}

// apart says whether two spans, the one that seems to start first before the other, do not
// overlap.
func (e *Expr) apart(f *Frame, m, n trace.Node) Value {
	first := e.endsFirst(f, m, n)
	if first.True() || f.oneClock(m, n) {
		return first
	}
	if second := e.endsFirst(f, n, m); second.True() || first.kind != Unknown {
		return second
	}
	return first
}

func runMaxConcurrency(f *Frame, e *Expr) (Value, *Doubt) {
	nodes, d := e.spans(f, 0)
	return intValue(int64(f.Peak(nodes))), d
}

// Peak is how many of the spans ran at once. Touching ends do not overlap.
func (f *Frame) Peak(nodes []trace.Node) int {
	f.step(len(nodes))
	var starts, ends, moments []trace.Time
	for _, n := range nodes {
		start, end := f.span(n).Start(), f.span(n).End()
		if end <= start { // It is missing, or before the start, or the span took no time.
			moments = append(moments, start)
			continue
		}
		starts, ends = append(starts, start), append(ends, end)
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
	for _, m := range moments {
		begun, _ := slices.BinarySearch(starts, m)
		over, _ := slices.BinarySearch(ends, m+1)
		peak = max(peak, begun-over+1)
	}
	return peak
}
