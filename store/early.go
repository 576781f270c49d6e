package store

import (
	"slices"

	"github.com/followspan/followspan/trace"
)

// worthwhile is the part of all spans that must be able to make room, so that
// looking for them pays.
const worthwhile = 16

// CloseOldest lets a recording that takes more than all memory go on: when Consume
// returned ErrFull, it closes flows before the recording ends, those of which
// nothing has come for long, if possible such that wait for nothing, and lets spans
// of the same age go that no flow wanted. The caller judges and releases what Next
// then hands out, and consumes again. It reports false if that would not help: then
// nothing was closed.
//
// What comes later for a flow that closed early is noticed: spans of its traces,
// links to them, and that a service which it called sends spans after all; see
// [trace.Remains]. Flows with correlation keys, to which any span may belong, do not
// close early, nor does what wants every span.
func (s *Store) CloseOldest() bool {
	s.enter()
	defer s.mu.Unlock()
	defer s.signal()
	if slices.ContainsFunc(s.flows, func(d *declaration) bool { return d.Opens == trace.OpensBySession }) {
		return false // It holds every span.
	}
	for _, try := range []struct {
		share   int // of the spans are too young
		waiting bool
	}{{2, false}, {8, false}, {2, true}} {
		s.horizon = trace.Node(s.graph.Len() - s.graph.Live()/try.share)
		old, spans := s.closable(try.waiting)
		if spans += s.countStrays(); spans*worthwhile >= s.graph.Live() && spans > 0 {
			for _, in := range old {
				s.close(in, trace.ByMemory)
			}
			return true
		}
	}
	return false
}

// closable are the flows that may close early, those that wait for something only if
// waiting is set, and how many spans they have.
func (s *Store) closable(waiting bool) (old []*instance, spans int) {
	for _, in := range s.agenda {
		if in.last >= s.horizon || len(in.of.Keys) > 0 {
			continue
		}
		if s.findEdges(in); waiting || len(in.edges) == 0 {
			old = append(old, in)
			spans += in.w.Len()
		}
	}
	return old, spans
}

func (s *Store) countStrays() (count int) {
	for n := s.swept; n < s.sweepable(); n++ {
		if _, _, stray := s.isStray(n); stray {
			count++
		}
	}
	return count
}

// askAll remembers whose answers a flow that closed early does without, since they
// send no spans as far as is known.
func (s *Store) askAll(in *instance) {
	if in.reason != trace.ByMemory {
		return
	}
	for span := range s.unanswered(in) {
		s.booked += askedBytes * int64(s.peers.ask(in, span))
	}
}

// answerLate tells the flows of which somebody turned out to send spans that they
// did without.
func (s *Store) answerLate() {
	for _, in := range s.peers.told {
		in.unanswered = true
		s.markDirty(in)
	}
	s.peers.told = s.peers.told[:0]
}

// linksLate books a link to a flow that was evicted.
func (s *Store) linksLate(span trace.Span) {
	if s.stats.Evicted == 0 {
		return
	}
	for l := range span.Links() {
		if s.index.has(s.graph.View(), spanID{l.TraceID(), l.SpanID()}) {
			continue
		}
		if t := s.traces[l.TraceID()]; t != nil {
			s.lateFor(t)
		}
	}
}

// orphansLate books, once nothing more comes, spans that nobody knows the cause of,
// though it lies in a trace of which flows were evicted.
func (s *Store) orphansLate() {
	if s.stats.Evicted == 0 {
		return
	}
	v := s.graph.View()
	for _, t := range s.traces {
		if t.partlyEvicted() && (t.orphans > 0 || s.hasOrphan(v, t)) {
			s.lateFor(t)
		}
	}
}

// partlyEvicted reports whether a flow was evicted that had not the whole trace.
func (t *traceEntry) partlyEvicted() bool {
	for st := t.started; st != nil; st = st.next {
		for _, in := range st.evicted {
			if !in.whole {
				return true
			}
		}
	}
	return false
}

func (s *Store) hasOrphan(v trace.View, t *traceEntry) bool {
	first, held := s.graph.First(t.id)
	if !held {
		return false
	}
	for n := range v.Trace(first) {
		if !v.InFlow(n) && s.isOrphan(v, n) {
			return true
		}
	}
	return false
}

// lateFor books a span for the evicted flows of a trace: one of them may miss it.
func (s *Store) lateFor(t *traceEntry) {
	for _, in := range t.whole {
		if in.evicted {
			s.comesLate(in)
		}
	}
	for st := t.started; st != nil; st = st.next {
		for _, in := range st.evicted {
			if !in.whole {
				s.comesLate(in)
			}
		}
	}
}
