package store

import "github.com/followspan/followspan/trace"

// linksNowhere reports whether a member of a recording links to a span of a trace outside
// of the flow that has not arrived, so that the recording is not whole. Of live spans it shows less:
// whoever is linked to may well send its spans to somebody else. As with a missing
// parent, what lies above the origin, or above the span by which a linked trace was
// entered, is none of the flow's.
func (s *Store) linksNowhere(v trace.View, in *instance, n trace.Node, span trace.Span) bool {
	return s.settings.Recorded && !s.dangling(in, span).IsZero() && !s.external(v, in, n, span)
}

// dangling is the first span that a span links to and that has not arrived, zero if there
// is none. See looseLinks for those of the instance's traces.
func (s *Store) dangling(in *instance, span trace.Span) (missing trace.SpanID) {
	if s.index.linkers.none() {
		return missing
	}
	for l := range span.Links() {
		if id := l.TraceID(); !in.touches(id) && s.index.linkers.crowds.of(spanID{id, l.SpanID()}) != nil {
			return l.SpanID()
		}
	}
	return missing
}
