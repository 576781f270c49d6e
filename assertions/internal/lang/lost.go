package lang

import (
	"iter"

	"github.com/followspan/followspan/trace"
)

// Spans are evicted when memory is needed. What an expression would have to know of
// such a span is not known any more, so its value is uncertain: every read of a span
// and of what is next to it goes through here, and notes what was lost.

// madeRoom is the doubt of a value that depends on an evicted span.
var madeRoom = &Doubt{Why: Uncertain, Text: "a span that it looks at made room for others, since the memory for spans was used up", Try: "raise --memory"}

// MadeRoom is the doubt of what depends on an evicted span.
func MadeRoom() *Doubt { return madeRoom }

// butLost is v, unless what was lost may have changed it.
func (f *Frame) butLost(v Value) Value {
	if !f.lost {
		return v
	}
	return v.butLost()
}

func (v Value) butLost() Value {
	if d := v.Doubt(); d != nil && d.Why == Pending {
		return unknown(d) // Nothing is decided yet.
	}
	return unknown(madeRoom)
}

func (f *Frame) span(n trace.Node) trace.Span {
	if n == trace.None {
		return f.bare
	}
	s := f.View.Span(n)
	if s.Evicted() {
		f.lost = true
	}
	return s
}

func (f *Frame) parentNode(n trace.Node) (trace.Node, bool) {
	p, ok := f.View.Parent(n)
	f.lost = f.lost || f.View.Evicted(n) || ok && f.View.Evicted(p)
	return p, ok
}

func (f *Frame) childrenOf(n trace.Node) iter.Seq[trace.Node] {
	return func(yield func(trace.Node) bool) { f.eachChild(n, yield) }
}

func (f *Frame) eachChild(n trace.Node, yield func(trace.Node) bool) {
	for c := range f.View.Children(n) {
		if !yield(c) {
			return
		}
	}
	f.lost = f.lost || f.View.Torn(n)
}

func (f *Frame) ofTrace(n trace.Node) iter.Seq[trace.Node] {
	return func(yield func(trace.Node) bool) { f.eachOfTrace(n, yield) }
}

func (f *Frame) eachOfTrace(n trace.Node, yield func(trace.Node) bool) {
	for t := range f.View.Trace(n) {
		if !yield(t) {
			return
		}
	}
	f.lost = f.lost || f.View.TraceTorn(n)
}

// causesOf and effectsOf leave out the evicted ends of edges.
func (f *Frame) causesOf(n trace.Node) iter.Seq2[trace.Node, trace.Rule] {
	return func(yield func(trace.Node, trace.Rule) bool) { f.along(n, f.View.Causes(n), yield) }
}

func (f *Frame) effectsOf(n trace.Node) iter.Seq2[trace.Node, trace.Rule] {
	return func(yield func(trace.Node, trace.Rule) bool) { f.along(n, f.View.Effects(n), yield) }
}

func (f *Frame) along(n trace.Node, edges iter.Seq2[trace.Node, trace.Rule], yield func(trace.Node, trace.Rule) bool) {
	for m, rule := range edges {
		if f.View.Evicted(m) {
			f.lost = true
		} else if !yield(m, rule) {
			return
		}
	}
	f.lost = f.lost || f.View.Evicted(n)
}
