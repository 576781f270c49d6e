package store

import (
	"slices"

	"github.com/followspan/followspan/trace"
)

// retractNested undoes instances whose origin turned out to lie under another one
// of the same flow, since n joined what is below it with what is above it.
func (s *Store) retractNested(n trace.Node) {
	for st := s.trace(s.graph.View().Span(n).TraceID()).started; st != nil; st = st.next {
		if len(st.all) > 1 && (s.startedBy(st.of, n) != nil || s.underOrigin(st.of, n)) {
			s.retractBelow(st.of, n)
		}
	}
}

// retractBelow retracts the instances of d that start somewhere below n. What is
// below an origin was looked at when that began.
func (s *Store) retractBelow(d *declaration, n trace.Node) {
	for below := []trace.Node{n}; len(below) > 0; {
		last := len(below) - 1
		n, below = below[last], below[:last]
		for child := range s.graph.View().Children(n) {
			if in := s.startedBy(d, child); in != nil {
				s.retract(in)
				continue
			}
			below = append(below, child)
		}
	}
}

// startedOf are the instances of d that spans of the trace opened.
func (t *traceEntry) startedOf(d *declaration) *started {
	at := &t.started
	for ; *at != nil; at = &(*at).next {
		if (*at).of == d {
			return *at
		}
	}
	*at = &started{of: d}
	return *at
}

// seat books that a span of the trace opened the instance.
func (s *Store) seat(t *traceEntry, in *instance) {
	st := t.startedOf(in.of)
	in.seat = int32(len(st.all))
	st.all = append(st.all, in)
	if st.count() == 2 {
		s.mayShare(t, st)
	}
}

func (s *Store) unseat(in *instance) {
	st := in.trace.startedOf(in.of)
	st.remove(in)
	if st.count() == 1 {
		s.mayShare(in.trace, st)
	}
}

// count is how many instances there were, the evicted ones included.
func (st *started) count() int { return len(st.all) + len(st.evicted) }

func (st *started) remove(in *instance) {
	last := len(st.all) - 1
	st.all[in.seat], st.all[last].seat = st.all[last], in.seat
	st.all[last] = nil
	st.all = st.all[:last]
}

// mayShare has a trace looked at in which an instance is not alone any more, or
// alone again.
func (s *Store) mayShare(t *traceEntry, st *started) {
	if !st.crowded && !s.isShared(t) && st.of.Scope == trace.ScopeAuto {
		st.crowded = true
		s.crowded = append(s.crowded, st)
	}
}

// divide founds anew those instances that have the whole trace though there are
// several, or only what their origin caused though there is no other.
func (s *Store) divide(st *started) {
	for _, in := range slices.Clone(st.all) {
		if in.whole != s.wholeTrace(in.of, in.trace) {
			s.refound(in)
		}
	}
	st.crowded = false
}

// refound retracts an instance and opens it anew, since members cannot leave.
func (s *Store) refound(in *instance) {
	t, origins := in.trace, s.originsOf(in)
	s.retract(in)
	again := s.open(in.of, t, in.w.Record().ID, in.w.Record().Started)
	again.key, again.triggerSpan = in.key, in.triggerSpan
	switch in.of.Opens {
	case trace.OpensByTrigger:
		s.refill(again, t)
	case trace.OpensByKey:
		in.of.byKey[in.key] = again
		for _, n := range origins {
			s.begin(again, s.trace(s.graph.View().Span(n).TraceID()), n)
		}
	default:
		s.begin(again, t, in.origin)
	}
}

// originsOf are the spans that started an instance, of which a value may have
// several.
func (s *Store) originsOf(in *instance) (origins []trace.Node) {
	if in.of.Opens != trace.OpensByKey {
		return nil
	}
	for _, n := range in.w.Members() {
		if in.w.JoinedBy(n) == trace.ByOrigin {
			origins = append(origins, n)
		}
	}
	return origins
}

// refill makes what arrived of a triggered trace members.
func (s *Store) refill(in *instance, t *traceEntry) {
	first, ok := s.graph.First(t.id)
	if !ok {
		return
	}
	for n := range s.graph.View().Trace(first) {
		s.propagate(in, n, trace.ByTrace, distance{})
	}
	s.followLinks(in)
}

// retract takes back an instance. Whoever has been handed it is told.
func (s *Store) retract(in *instance) {
	in.state = trace.Retracted
	s.forget(in)
	in.trace.whole = without(in.trace.whole, in)
	if in.of.Opens == trace.OpensBySpan {
		s.unseat(in)
	}
	for n := range in.w.Leave() {
		s.left = append(s.left, n)
		if v := s.graph.View(); !v.InFlow(n) && !v.Evicted(n) {
			s.process(v.Span(n)).unjoined++
		}
	}
	s.book(in, -in.booked)
	delete(s.instances, in.w.Record().Number())
	s.agenda.remove(in)
	in.unwatch()
	s.stats.Instances--
	in.stopRest()
	in.dirty = false
	if in.handedOut {
		s.markDirty(in)
	}
}

// settleLeft books those as strays that left a flow and joined no other.
func (s *Store) settleLeft() {
	for _, n := range s.left {
		s.addStray(n, s.graph.View().Span(n))
		s.loose.push(n)
	}
	s.left = s.left[:0]
}

func without(list []*instance, in *instance) []*instance {
	return slices.DeleteFunc(list, func(other *instance) bool { return other == in })
}

// part founds those flows anew that a consumer joined by a message which was not theirs.
func (s *Store) part(consumer trace.Node) {
	for in := range s.instancesOf(consumer) {
		s.changed(in)
		if in.w.JoinedBy(consumer) == trace.ByMessage {
			s.ambiguous = append(s.ambiguous, in)
		}
	}
}
