package store

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/followspan/followspan/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// findEdges looks again at the members that had an open edge. What it hands to a
// frozen flow is a new slice each time that it changed.
func (s *Store) findEdges(in *instance) {
	var edges []trace.OpenEdge
	if in.waitsForOrigin() || in.state != trace.Open && s.triggeredNothing(in) {
		edges = append(edges, trace.OpenEdge{Kind: trace.WaitsForOrigin, Node: trace.None})
	}
	v := s.graph.View()
	in.pending = slices.DeleteFunc(in.pending, func(n trace.Node) bool {
		kind, state := s.edge(v, in, n)
		if state == edgeOpen {
			edges = append(edges, s.openEdge(v, in, kind, n))
		}
		return state == edgeNever
	})
	edges = append(edges, s.looseEdges(in)...)
	if in.state == trace.Closed {
		sortEdges(v, edges)
	}
	if in.restless {
		edges = append(edges, trace.OpenEdge{Kind: trace.WaitsForSilence, Node: trace.None})
	}
	s.book(in, int64(cap(edges)-cap(in.edges))*edgeBytes)
	in.edges = edges
}

// edgesLate looks once more, when nothing more comes, at the flows that closed before:
// what was learned since of whom they asked may open an edge, or be lost, or refused.
func (s *Store) edgesLate() {
	var changed []*instance
	for _, in := range s.instances {
		before := len(in.edges)
		if s.findEdges(in); len(in.edges) != before || s.lostSince(in) || s.refused.of(in) > 0 {
			changed = append(changed, in)
		}
	}
	slices.SortFunc(changed, func(a, b *instance) int { return cmp.Compare(a.w.Record().Number(), b.w.Record().Number()) })
	for _, in := range changed {
		s.markDirty(in)
	}
}

// sortEdges puts open edges in an order that is not that of the arrival.
func sortEdges(v trace.View, edges []trace.OpenEdge) {
	slices.SortFunc(edges, func(a, b trace.OpenEdge) int {
		if a.Node == trace.None || b.Node == trace.None {
			return cmp.Compare(a.Node, b.Node)
		}
		return cmp.Or(v.Span(a.Node).Compare(v.Span(b.Node)), cmp.Compare(a.Kind, b.Kind), bytes.Compare(a.Missing[:], b.Missing[:]))
	})
}

// waitsForOrigin reports whether the origin, or the trigger, has not arrived. What a span
// opens has one.
func (in *instance) waitsForOrigin() bool {
	return in.of.Opens == trace.OpensByTrigger && (in.trigger == trace.None || in.origin == trace.None)
}

// triggeredNothing reports whether nothing has come of a trigger that somebody answered:
// whatever it caused was not seen.
func (s *Store) triggeredNothing(in *instance) bool {
	if in.trigger == trace.None || in.w.Len() > 1 {
		return false
	}
	trigger := s.graph.View().Span(in.trigger)
	return trigger.Status() != trace.Error || gaveUp(trigger) || gotAnswer(trigger)
}

func (s *Store) openEdge(v trace.View, in *instance, kind trace.OpenKind, n trace.Node) trace.OpenEdge {
	e := trace.OpenEdge{Kind: kind, Node: n}
	switch span := v.Span(n); kind {
	case trace.WaitsForParent:
		e.Missing = span.ParentID()
	case trace.WaitsForServer:
		e.Strays = s.roots.answer(v, span)
	case trace.WaitsForConsumer:
		e.Strays = s.roots.delivery(v, span, consumersOf(v, n))
	case trace.WaitsForLinked:
		e.Missing = s.dangling(in, span)
	}
	for _, stray := range e.Strays {
		e.Lost = s.hops.lostAt(v.Span(n), v.Span(stray))
	}
	return e
}

// edgeState says whether a span hints at another one.
type edgeState uint8

const (
	edgeNever  edgeState = iota // it has none, or what it named has arrived
	edgeClosed                  // none now; what is learned of its peer may open one
	edgeOpen
)

// edge says what n waits for, if for anything.
func (s *Store) edge(v trace.View, in *instance, n trace.Node) (trace.OpenKind, edgeState) {
	span := v.Span(n)
	if _, arrived := v.Parent(n); !arrived && !span.ParentID().IsZero() && !s.isOutside(in, span) {
		if !s.external(v, in, n, span) {
			return trace.WaitsForParent, edgeOpen
		}
		if kind, state := s.otherEdge(v, in, n, span); state != edgeNever {
			return kind, state
		}
		return trace.WaitsForParent, edgeClosed // Another origin may turn out to be the first.
	}
	return s.otherEdge(v, in, n, span)
}

// otherEdge is one that n waits for besides its parent.
func (s *Store) otherEdge(v trace.View, in *instance, n trace.Node, span trace.Span) (trace.OpenKind, edgeState) {
	kind, state := s.callEdge(v, n, span)
	if in.of.isSilent(span) {
		state = edgeNever
	}
	if state != edgeOpen && s.linksNowhere(v, in, n, span) {
		return trace.WaitsForLinked, edgeOpen
	}
	return kind, state
}

// callEdge is the other side of a call or a message.
func (s *Store) callEdge(v trace.View, n trace.Node, span trace.Span) (trace.OpenKind, edgeState) {
	switch span.Kind() {
	case trace.Client:
		return trace.WaitsForServer, s.clientEdge(v, n, span)
	case trace.Producer:
		return trace.WaitsForConsumer, s.producerEdge(v, n, span)
	}
	return trace.WaitsForParent, edgeNever
}

// isOutside reports whether the parent of a span is followspan's own trigger, or the
// context of the command, which followspan does not receive.
func (s *Store) isOutside(in *instance, span trace.Span) bool {
	return span.ParentID() == in.triggerSpan ||
		span.TraceID() == s.settings.RunTrace && span.ParentID() == s.settings.RunSpan
}

// external reports whether the missing parent of n lies outside of what
// followspan can receive: above an origin, or above the span by which a linked trace, or
// one without an origin, was entered from elsewhere.
func (s *Store) external(v trace.View, in *instance, n trace.Node, span trace.Span) bool {
	if n == in.origin {
		return true
	}
	entry := span.Kind() == trace.Server || span.Kind() == trace.Consumer
	if !entry {
		return false
	}
	own := in.w.Record().TraceID // A value has none of its own.
	if in.of.Opens == trace.OpensByKey {
		own = trace.TraceID{}
		if in.w.JoinedBy(n) == trace.ByOrigin {
			return true
		}
	}
	if in.origin == trace.None { // It is a trace, or all of them, and was not entered where it has a root.
		ofTraces := in.of.Opens == trace.OpensBySession || in.of.Opens != trace.OpensByTrigger && span.TraceID() == own
		return ofTraces && s.trace(span.TraceID()).roots == 0
	}
	return v.Span(in.origin).TraceID() != span.TraceID() && own != span.TraceID() ||
		isAncestor(v, n, in.origin)
}

func (s *Store) clientEdge(v trace.View, n trace.Node, span trace.Span) edgeState {
	if isDatabase(span) {
		return edgeNever
	}
	if span.Status() == trace.Error && !gaveUp(span) && !gotAnswer(span) {
		return edgeNever
	}
	if isAnswered(v, n, span) {
		return edgeNever
	}
	if isPart(v, n, span) || isAnsweredElsewhere(v, n) {
		return edgeClosed
	}
	if s.peers.instrumented(span) || text(span, string(semconv.MessagingSystemKey)) == "" && s.roots.answer(v, span) != nil {
		return edgeOpen
	}
	return edgeClosed
}

// isAnswered reports whether a call led to another service: to the server that was called,
// also where that began a trace of its own and links back, or to a proxy in between, whose
// own call is then the one that waits.
func isAnswered(v trace.View, n trace.Node, call trace.Span) bool {
	for m := range v.Followers(n) {
		if answers(v, n, call, m) {
			return true
		}
	}
	return false
}

// answers reports whether a follower of a call shows that it was answered.
func answers(v trace.View, n trace.Node, call trace.Span, follower trace.Node) bool {
	parent, _ := v.Parent(follower)
	span := v.Span(follower)
	return span.Kind() == trace.Server || parent == n && span.Service() != call.Service()
}

// isAnsweredElsewhere reports whether another layer of a call was answered.
func isAnsweredElsewhere(v trace.View, n trace.Node) bool {
	for m := range layers(v, n) {
		if isAnswered(v, m, v.Span(m)) {
			return true
		}
	}
	return false
}

// producerEdge waits for one consumer, and also for that of another service where there
// is one that seems to have lost its context: a destination may have several.
func (s *Store) producerEdge(v trace.View, n trace.Node, span trace.Span) edgeState {
	consumed := consumersOf(v, n)
	if len(consumed) == 0 && s.peers.consumed[topicOf(span)] || len(consumed) > 0 && s.roots.delivery(v, span, consumed) != nil {
		return edgeOpen
	}
	return edgeClosed
}

// consumersOf are the services that consumed a message, whichever of its layers they
// went on with.
func consumersOf(v trace.View, n trace.Node) (services []string) {
	consumed := func(n trace.Node) {
		for m := range v.Followers(n) {
			if span := v.Span(m); span.Kind() == trace.Consumer || fetches(span) {
				services = append(services, span.Service())
			}
		}
	}
	consumed(n)
	for m := range layers(v, n) {
		consumed(m)
	}
	return services
}
