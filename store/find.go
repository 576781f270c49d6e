package store

import (
	"slices"

	"github.com/followspan/followspan/trace"
)

// Trace returns the spans of a trace that are held, in the order of their arrival:
// every one that Consume has taken.
func (s *Store) Trace(id trace.TraceID) []trace.Span {
	s.mu.Lock()
	first, ok := s.graph.First(id)
	v := s.graph.View()
	s.mu.Unlock()
	if !ok {
		return nil
	}
	var spans []trace.Span
	for n := range v.Trace(first) {
		if span := v.Span(n); !span.Evicted() {
			spans = append(spans, span)
		}
	}
	return spans
}

// TraceIDs returns the traces of which spans are held, the newest first.
func (s *Store) TraceIDs() []trace.TraceID {
	s.mu.Lock()
	defer s.mu.Unlock()
	entries := make([]*traceEntry, 0, len(s.traces))
	for _, t := range s.traces {
		if _, held := s.graph.First(t.id); held {
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
