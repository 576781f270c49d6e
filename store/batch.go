package store

import "github.com/followspan/followspan/trace"

// isAboutOthers reports whether a child of a batch, which began a trace of its own, says
// by its links which of the batch's messages it is about. It belongs to the flows of these
// then, and not to all that had a message in the batch.
func (s *Store) isAboutOthers(v trace.View, in *instance, batch, child trace.Node) bool {
	b, links := v.Span(batch), 0
	if !b.ParentID().IsZero() {
		return false
	}
	for l := range v.Span(child).Links() {
		if links++; !s.messages.of(batch, b)[spanID{l.TraceID(), l.SpanID()}] {
			return false
		}
	}
	return links > 0 && (in.of.Origin == nil || !in.of.Origin(b))
}

// messages are what a batch links to. They are kept of the last that was asked for, since
// each of its children asks, for each of its flows.
type messages struct {
	batch trace.Node
	links map[spanID]bool
}

func (m *messages) of(batch trace.Node, span trace.Span) map[spanID]bool {
	if m.links == nil || m.batch != batch {
		m.batch, m.links = batch, map[spanID]bool{}
		for l := range span.Links() {
			m.links[spanID{l.TraceID(), l.SpanID()}] = true
		}
	}
	return m.links
}
