package store

import (
	"cmp"
	"slices"

	"github.com/followspan/followspan/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.30.0"
)

// findEdges looks again at the members that had an open edge. What it hands to a
// frozen flow is a new slice each time that it changed.
func (s *Store) findEdges(in *instance) {
	var edges []trace.OpenEdge
	if in.waitsForOrigin() {
		edges = append(edges, trace.OpenEdge{Kind: trace.WaitsForOrigin, Node: trace.None})
	}
	v := s.graph.View()
	in.pending = slices.DeleteFunc(in.pending, func(n trace.Node) bool {
		kind, state := s.edge(v, in, n)
		if state == edgeOpen {
			edges = append(edges, s.openEdge(v, kind, n))
		}
		return state == edgeNever
	})
	in.state.Edges = edges
}

func (in *instance) waitsForOrigin() bool {
	switch in.of.Opens {
	case trace.OpensByTrigger:
		return in.state.Trigger == trace.None || in.state.Origin == trace.None
	case trace.OpensBySpan, trace.OpensByKey:
		return in.state.Origin == trace.None
	}
	return false
}

func (s *Store) openEdge(v trace.View, kind trace.OpenKind, n trace.Node) trace.OpenEdge {
	e := trace.OpenEdge{Kind: kind, Node: n}
	switch span := v.Span(n); kind {
	case trace.WaitsForParent:
		e.Missing = span.ParentID()
	case trace.WaitsForServer:
		e.Strays = s.roots.answer(v, span)
	case trace.WaitsForConsumer:
		e.Strays = s.roots.delivery(v, span)
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
	if _, arrived := v.Parent(n); !arrived && !span.ParentID().IsZero() && !s.external(v, in, n, span) {
		return trace.WaitsForParent, edgeOpen
	}
	switch span.Kind() {
	case trace.Client:
		return trace.WaitsForServer, s.clientEdge(v, n, span)
	case trace.Producer:
		return trace.WaitsForConsumer, s.producerEdge(v, n, span)
	}
	return trace.WaitsForParent, edgeNever
}

// external reports whether the missing parent of n lies outside of what
// followspan can receive: above the origin, at its own trigger or the command's
// context, or above the span by which a linked trace was entered from elsewhere.
func (s *Store) external(v trace.View, in *instance, n trace.Node, span trace.Span) bool {
	if n == in.state.Origin || span.ParentID() == in.triggerSpan {
		return true
	}
	if span.TraceID() == s.settings.RunTrace && span.ParentID() == s.settings.RunSpan {
		return true
	}
	entry := span.Kind() == trace.Server || span.Kind() == trace.Consumer
	if !entry {
		return false
	}
	if in.state.Origin == trace.None {
		return in.of.Opens != trace.OpensByTrigger && span.TraceID() == in.w.Record().TraceID
	}
	return v.Span(in.state.Origin).TraceID() != span.TraceID() && in.w.Record().TraceID != span.TraceID() ||
		isAbove(v, n, in.state.Origin)
}

func isAbove(v trace.View, n, origin trace.Node) bool { return n != origin && isAncestor(v, n, origin) }

func (s *Store) clientEdge(v trace.View, n trace.Node, span trace.Span) edgeState {
	if span.Status() == trace.Error {
		return edgeNever
	}
	if cmp.Or(text(span, string(semconv.DBSystemNameKey)), text(span, "db.system")) != "" {
		return edgeNever // databases send no spans
	}
	for child := range v.Children(n) {
		if v.Span(child).Kind() == trace.Server {
			return edgeNever
		}
	}
	if s.peers.instrumented(span) || s.roots.answer(v, span) != nil {
		return edgeOpen
	}
	return edgeClosed
}

func (s *Store) producerEdge(v trace.View, n trace.Node, span trace.Span) edgeState {
	consumes := func(m trace.Node) bool { return v.Span(m).Kind() == trace.Consumer }
	for child := range v.Children(n) {
		if consumes(child) {
			return edgeNever
		}
	}
	for effect := range v.Effects(n) {
		if consumes(effect) {
			return edgeNever
		}
	}
	if s.peers.consumed[topicOf(span)] {
		return edgeOpen
	}
	return edgeClosed
}
