package store

import (
	"slices"

	"github.com/followspan/followspan/trace"
)

// Trace returns the spans of a trace that are held, in the order of their arrival:
// every one that Consume has taken.
func (s *Store) Trace(id trace.TraceID) []trace.Span {
	s.mu.Lock()
	t, v := s.traces[id], s.graph.View()
	s.mu.Unlock()
	if t == nil || t.first == trace.None {
		return nil
	}
	var spans []trace.Span
	for n := range v.Trace(t.first) {
		spans = append(spans, v.Span(n))
	}
	return spans
}

// TraceIDs returns the traces of which spans are held, the newest first.
func (s *Store) TraceIDs() []trace.TraceID {
	s.mu.Lock()
	defer s.mu.Unlock()
	entries := make([]*traceEntry, 0, len(s.traces))
	for _, t := range s.traces {
		if t.first != trace.None {
			entries = append(entries, t)
		}
	}
	slices.SortFunc(entries, func(a, b *traceEntry) int { return int(b.first - a.first) })
	ids := make([]trace.TraceID, len(entries))
	for i, t := range entries {
		ids[i] = t.id
	}
	return ids
}
