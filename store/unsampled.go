package store

import (
	"cmp"
	"slices"

	"github.com/followspan/followspan/trace"
)

// What they take: the map of a trace, and each of them in it beyond the first.
const (
	unsampledTraceBytes = 210
	unsampledBytes      = 25
)

// unsampled are the spans that others link to and that were not sampled, so that
// they never come, by their traces: what these traces did is not known whole.
type unsampled map[trace.TraceID]map[trace.SpanID]struct{}

const notSampled = "spans that others link to and that were not sampled; OTEL_TRACES_SAMPLER=always_on keeps all"

// learnUnsampled books what a new span says of its own trace, and of those it links to.
func (s *Store) learnUnsampled(span trace.Span) {
	if s.forgetUnsampled(idOf(span)) { // It was sent all the same.
		s.tellOfUnsampled(span.TraceID())
	}
	for l := range span.Links() {
		id := spanID{l.TraceID(), l.SpanID()}
		if span.Unsampled(l) && !s.index.has(s.graph.View(), id) {
			s.addUnsampled(id)
		}
	}
}

func (s *Store) addUnsampled(id spanID) {
	of := s.unsampled[id.trace]
	if _, known := of[id.span]; known {
		return
	}
	if of == nil {
		of = map[trace.SpanID]struct{}{}
		s.unsampled[id.trace] = of
		s.booked += unsampledTraceBytes
		s.tellOfUnsampled(id.trace)
	}
	of[id.span] = struct{}{}
	s.booked += unsampledBytes
	for _, n := range s.index.linkers.crowds.of(id) {
		for in := range s.instancesOf(n) {
			s.markDirty(in) // It waits for it no longer.
		}
	}
}

// forgetUnsampled reports whether the span was one.
func (s *Store) forgetUnsampled(id spanID) bool {
	of := s.unsampled[id.trace]
	if _, known := of[id.span]; !known {
		return false
	}
	s.booked -= unsampledBytes
	if delete(of, id.span); len(of) == 0 {
		delete(s.unsampled, id.trace)
		s.booked -= unsampledTraceBytes
	}
	return true
}

// evictLinks forgets what a span says of others that is about to be evicted. To the
// flows that there are it is a loss for good.
func (s *Store) evictLinks(span trace.Span) {
	for l := range span.Links() {
		if !s.forgetUnsampled(spanID{l.TraceID(), l.SpanID()}) {
			continue
		}
		for _, in := range s.touching(l.TraceID()) {
			s.drop(in, notSampled, 1)
		}
	}
}

// tellOfUnsampled lets the flows of a trace be handed out again.
func (s *Store) tellOfUnsampled(id trace.TraceID) {
	for _, in := range s.touching(id) {
		s.markDirty(in)
	}
}

// touching are the instances that may miss spans of a trace.
func (s *Store) touching(id trace.TraceID) []*instance {
	var all []*instance
	for _, d := range s.flows {
		if in := d.byKey[""]; in != nil && d.Opens == trace.OpensBySession {
			all = append(all, in)
		}
	}
	if t := s.traces[id]; t != nil {
		all = append(all, t.whole...)
	}
	if first, held := s.graph.First(id); held {
		for n := range s.graph.View().Trace(first) {
			all = slices.AppendSeq(all, s.instancesOf(n))
		}
	}
	slices.SortFunc(all, func(a, b *instance) int { return cmp.Compare(a.w.Record().Number(), b.w.Record().Number()) })
	return slices.DeleteFunc(slices.Compact(all), func(in *instance) bool { return in.evicted || in.state == trace.Retracted })
}

// unsampledOf counts those of the traces of an instance.
func (s *Store) unsampledOf(in *instance) (count int) {
	switch {
	case len(s.unsampled) == 0:
	case in.of.Opens == trace.OpensBySession:
		for _, of := range s.unsampled {
			count += len(of)
		}
	default:
		count = len(s.unsampled[in.w.Record().TraceID])
		for id := range in.others() {
			count += len(s.unsampled[id])
		}
	}
	return count
}
