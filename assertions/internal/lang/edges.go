package lang

import (
	"slices"
	"time"

	"github.com/followspan/followspan/trace"
)

// What reads an edge is unknown while the edge may still resolve: a parent until
// it arrived, children and what is computed from them until nothing more can come.

// parentState says what is known of the parent that a span names.
type parentState uint8

const (
	arrived parentState = iota
	noParent
	awaited
)

func (f *Frame) parentOf(n trace.Node) (trace.Node, parentState) {
	if n == trace.None {
		return trace.None, noParent
	}
	if p, ok := f.parentNode(n); ok {
		return p, arrived
	}
	if f.Open && !f.span(n).ParentID().IsZero() {
		return trace.None, awaited
	}
	return trace.None, noParent
}

func (s parentState) value(p trace.Node) Value {
	switch s {
	case arrived:
		return spanValue(p)
	case awaited:
		return unknown(edgePending)
	}
	return missing
}

func getParent(f *Frame, n trace.Node) Value {
	p, state := f.parentOf(n)
	return state.value(p)
}

func getCaller(f *Frame, n trace.Node) Value {
	p, state := f.callerOf(n)
	return state.value(p)
}

func (f *Frame) callerOf(n trace.Node) (trace.Node, parentState) {
	service := f.span(n).Service()
	p, state := f.parentOf(n)
	for state == arrived && f.span(p).Service() == service {
		f.step(1)
		p, state = f.parentOf(p)
	}
	return p, state
}

// getRoot is the span without a parent above n. A trace may have several; where none is
// above n, since something in between is missing, it is the first of them.
func getRoot(f *Frame, n trace.Node) Value {
	top := n
	p, state := f.parentOf(top)
	for ; state == arrived; p, state = f.parentOf(top) {
		f.step(1)
		top = p
	}
	switch {
	case top != trace.None && f.span(top).ParentID().IsZero():
		return spanValue(top)
	case f.Open:
		return unknown(edgePending)
	}
	first := trace.None
	for t := range f.ofTrace(n) {
		f.step(1)
		if f.span(t).ParentID().IsZero() && (first == trace.None || compareSpans(f.span(t), f.span(first)) < 0) {
			first = t
		}
	}
	if first == trace.None {
		return missing
	}
	return spanValue(first)
}

func getAncestors(f *Frame, n trace.Node) Value {
	var out []trace.Node
	p, state := f.parentOf(n)
	for state == arrived {
		f.step(1)
		out = append(out, p)
		p, state = f.parentOf(p)
	}
	if state == awaited {
		return setValue(out, edgePending)
	}
	return setValue(out, nil)
}

func getChildren(f *Frame, n trace.Node) Value {
	return setValue(f.ByStart(slices.Collect(f.childrenOf(n))), f.coming())
}

func getDescendants(f *Frame, n trace.Node) Value {
	var out []trace.Node
	for queue := []trace.Node{n}; len(queue) > 0; queue = queue[1:] {
		for c := range f.childrenOf(queue[0]) {
			f.step(1)
			out = append(out, c)
			queue = append(queue, c)
		}
	}
	return setValue(f.ByStart(out), f.coming())
}

func getTrace(f *Frame, n trace.Node) Value {
	var out []trace.Node
	for t := range f.ofTrace(n) {
		f.step(1)
		out = append(out, t)
	}
	return setValue(f.ByStart(out), f.coming())
}

func getLinkedBy(f *Frame, n trace.Node) Value {
	var out []trace.Node
	linker := func(t trace.Node) {
		if f.step(1); f.linksTo(t, n) {
			out = append(out, t)
		}
	}
	for t := range f.effectsOf(n) {
		linker(t)
	}
	for t := range f.childrenOf(n) {
		linker(t)
	}
	return setValue(f.ByStart(out), f.coming())
}

func getIsRoot(f *Frame, n trace.Node) Value {
	if f.span(n).ParentID().IsZero() {
		return yes
	}
	if _, state := f.parentOf(n); state != noParent {
		if state == arrived {
			return no
		}
		return unknown(edgePending)
	}
	return boolValue(n != trace.None && !f.orphan(n)) // its parent is outside of what is observed
}

func getIsOrphan(f *Frame, n trace.Node) Value {
	if f.span(n).ParentID().IsZero() {
		return no
	}
	if _, state := f.parentOf(n); state != noParent {
		if state == arrived {
			return no
		}
		return unknown(edgePending)
	}
	return boolValue(f.orphan(n))
}

func (f *Frame) orphan(n trace.Node) bool { return f.Orphan == nil || f.Orphan(n) }

func getSelfTime(f *Frame, n trace.Node) Value {
	if f.Open {
		return unknown(edgePending)
	}
	if took(f.span(n)) == missing {
		return missing
	}
	var total time.Duration
	f.uncovered(n, func(d time.Duration) { total += d })
	return durationValue(total)
}

func getMaxGap(f *Frame, n trace.Node) Value {
	if f.Open {
		return unknown(edgePending)
	}
	if took(f.span(n)) == missing {
		return missing
	}
	var longest time.Duration
	f.uncovered(n, func(d time.Duration) { longest = max(longest, d) })
	return durationValue(longest)
}

// linksTo reports whether one of the links of a span names another.
func (f *Frame) linksTo(n, target trace.Node) bool {
	for l := range f.span(n).Links() {
		if f.step(1); f.named(l, target) {
			return true
		}
	}
	return false
}

func (f *Frame) named(l trace.Link, target trace.Node) bool {
	s := f.span(target)
	return s.ID() == l.SpanID() && s.TraceID() == l.TraceID()
}

// linkTarget is the span that a link names, if it has arrived. Two spans are joined once:
// what a link names may be the parent, or joined by a message already.
func (f *Frame) linkTarget(l linkRef) Value {
	for t := range f.causesOf(l.of) {
		if f.named(l.link, t) {
			return spanValue(t)
		}
	}
	if p, ok := f.parentNode(l.of); ok && f.named(l.link, p) {
		return spanValue(p)
	}
	if f.Open {
		return unknown(edgePending)
	}
	return missing
}
