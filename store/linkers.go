package store

import (
	"iter"

	"github.com/followspan/followspan/trace"
)

// linkers are the spans that link to one that has not arrived.
type linkers struct {
	crowds  crowds[spanID]
	targets map[trace.TraceID]map[trace.SpanID]struct{} // that have not arrived
}

func newLinkers() linkers {
	return linkers{newCrowds[spanID](), map[trace.TraceID]map[trace.SpanID]struct{}{}}
}

func (l *linkers) add(target spanID, n trace.Node) {
	l.crowds.add(target, n)
	of := l.targets[target.trace]
	if of == nil {
		of = map[trace.SpanID]struct{}{}
		l.targets[target.trace] = of
	}
	of[target.span] = struct{}{}
}

// arrived returns who has linked to a span, and forgets it. Some may have been evicted.
func (l *linkers) arrived(target spanID) []trace.Node {
	if l.none() {
		return nil
	}
	all := l.crowds.of(target)
	if all != nil {
		l.crowds.forget(target)
		l.forget(target)
	}
	return all
}

// remove takes out a span that is about to be evicted.
func (l *linkers) remove(v trace.View, target spanID, n trace.Node) {
	l.crowds.remove(v, target, n)
	if l.crowds.of(target) == nil {
		l.forget(target)
	}
}

func (l *linkers) forget(target spanID) {
	of := l.targets[target.trace]
	if delete(of, target.span); len(of) == 0 {
		delete(l.targets, target.trace)
	}
}

func (l *linkers) none() bool { return len(l.targets) == 0 }

// into yields the spans that link to one of a trace, with which it is.
func (l *linkers) into(v trace.View, id trace.TraceID) iter.Seq2[trace.Node, trace.SpanID] {
	return func(yield func(trace.Node, trace.SpanID) bool) {
		for target := range l.targets[id] {
			for _, n := range l.crowds.of(spanID{id, target}) {
				if !v.Evicted(n) && !yield(n, target) {
					return
				}
			}
		}
	}
}

// bytes is what they take of memory.
func (l *linkers) bytes() int64 {
	return l.crowds.bytes() + int64(len(l.targets))*targetsBytes + int64(len(l.crowds.by))*targetBytes
}
