package store

import (
	"github.com/followspan/followspan/trace"
)

// A span whose parent has not arrived, or a link to one that has not, may belong to a
// flow though nothing that did arrive says so: it is of one of the flow's traces, of
// which the flow has not the whole. While spans still come it is most likely another
// flow's, whose parent has not ended: waiting for it would have tests that run in
// parallel wait for each other. So it counts once nothing more comes.

// looseEdges are the open edges of such spans, of those whose parent has not arrived the
// last of each trace, since one suffices; and those of links to spans of the flow's traces.
func (s *Store) looseEdges(in *instance) []trace.OpenEdge {
	if in.origin == trace.None || in.of.Opens == trace.OpensBySession || in.of.Scope == trace.ScopeValue {
		return nil
	}
	edges := s.looseLinks(in)
	if s.nothingMoreComes() {
		edges = append(edges, s.looseOrphans(in)...)
	}
	sortEdges(s.graph.View(), edges)
	return edges
}

// nothingMoreComes reports whether what is missing now is missing for good, as far as is
// known: in a recording it need not have come yet.
func (s *Store) nothingMoreComes() bool { return s.ending || s.settings.Recorded }

func (s *Store) looseOrphans(in *instance) (edges []trace.OpenEdge) {
	for id := range in.traces() {
		if in.hasWhole(id) {
			continue
		}
		if n := s.lastOrphan(in, id); n != trace.None {
			edges = append(edges, trace.OpenEdge{Kind: trace.WaitsForParent, Node: n, Missing: s.graph.View().Span(n).ParentID()})
		}
	}
	return edges
}

// mayBelong reports whether an orphan, of a trace of which the instance has a part, may
// hang under a member that never came.
func (s *Store) mayBelong(v trace.View, in *instance, n trace.Node, span trace.Span) bool {
	return !s.isOutside(in, span) && (s.hasRootOf(in, span.TraceID()) || s.startsWithin(v, in, v.Span(in.origin), n))
}

// hasRootOf reports whether all spans of a trace follow from the instance, whenever they
// started: it has the one root.
func (s *Store) hasRootOf(in *instance, id trace.TraceID) bool {
	t := s.traces[id] // None is left if its spans made room.
	return t != nil && t.roots == 1 && in.others()[id].root
}

// startsWithin reports whether a span started while a flow was under way. Messages, and
// links, may come later; those that came after it had closed are no matter of its own.
func (s *Store) startsWithin(v trace.View, in *instance, origin trace.Span, n trace.Node) bool {
	span := v.Span(n)
	if startsBefore(span, origin) {
		return false
	}
	if span.Kind() != trace.Consumer {
		return span.Start() <= in.ends.Add(tolerance(span.Resource().Host(), origin.Resource().Host()))
	}
	return in.ended == 0 || s.settings.Recorded || v.ReceivedAt(n) <= in.ended
}

// entersFromOutside reports whether a trace is entered by a caller that sends no spans.
// It may well have entered it elsewhere, too. What a correlation key alone joins enters no
// trace that the flow has come to over a link or a message, or at its root.
func (s *Store) entersFromOutside(v trace.View, in *instance, id trace.TraceID) bool {
	for _, n := range in.pending {
		span := v.Span(n)
		if _, arrived := v.Parent(n); arrived || span.TraceID() != id || span.ParentID().IsZero() || s.isOutside(in, span) {
			continue
		}
		if in.distance(n).byKey && in.others()[id] != (part{}) {
			continue
		}
		if s.external(v, in, n, span) {
			return true
		}
	}
	return false
}

// looseLinks are links to spans of the instance's traces that have not arrived. Those
// that were not sampled never will; see unsampled. One to the parent says nothing more
// than that it is the parent.
func (s *Store) looseLinks(in *instance) (edges []trace.OpenEdge) {
	if s.index.linkers.none() {
		return nil
	}
	v := s.graph.View()
	origin := v.Span(in.origin)
	for id := range in.traces() {
		for n, target := range s.index.linkers.into(v, id) {
			if _, never := s.unsampled[id][target]; never || parentOf(v.Span(n)) == (spanID{id, target}) {
				continue
			}
			if in.w.JoinedBy(n) != trace.NoRule || s.nothingMoreComes() && (s.hasRootOf(in, id) || s.startsWithin(v, in, origin, n)) {
				edges = append(edges, trace.OpenEdge{Kind: trace.WaitsForLinked, Node: n, Missing: target})
			}
		}
	}
	return edges
}

// traces yields those in which an instance takes part.
func (in *instance) traces() func(yield func(trace.TraceID) bool) {
	return func(yield func(trace.TraceID) bool) {
		if !yield(in.w.Record().TraceID) {
			return
		}
		for id := range in.others() {
			if !yield(id) {
				return
			}
		}
	}
}

// touches reports whether an instance takes part in a trace.
func (in *instance) touches(id trace.TraceID) bool {
	_, other := in.others()[id]
	return other || id == in.w.Record().TraceID
}

// followLinks makes those members that link to a span of the instance's trace which has
// not arrived: as it has the whole trace, that would be a member.
func (s *Store) followLinks(in *instance) {
	for n := range s.index.linkers.into(s.graph.View(), in.trace.id) {
		s.follow(in, n, trace.ByLink, distance{})
	}
}

// linksInto does so for a new span.
func (s *Store) linksInto(n trace.Node, span trace.Span) {
	for l := range span.Links() {
		t := s.traces[l.TraceID()]
		if t == nil || s.index.has(s.graph.View(), spanID{l.TraceID(), l.SpanID()}) {
			continue
		}
		for _, in := range t.whole {
			if !in.evicted { // See linksLate.
				s.follow(in, n, trace.ByLink, distance{})
			}
		}
	}
}
