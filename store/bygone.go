package store

import "github.com/followspan/followspan/trace"

// bygone is what spans that made room would have joined and that had not arrived: traces
// that they link to, and messages that they consumed. A flow that comes to have these
// misses them.
type bygone struct {
	traces   map[trace.TraceID]int32
	messages map[uint64]struct{} // by hash
}

func newBygone() bygone { return bygone{map[trace.TraceID]int32{}, map[uint64]struct{}{}} }

// mostBygone is how much of each is remembered of live spans. Of a recording nothing is
// forgotten: anything may come at its end.
const mostBygone = 1 << 16

func (b *bygone) bytes() int64 { return int64(len(b.traces)+len(b.messages)) * bygoneBytes }

// leaveBehind books for whom a span is missing that is about to be evicted: for those to
// whose spans it links, or whose message it consumed. One of a flow is missing to those
// that have not begun.
func (s *Store) leaveBehind(n trace.Node, span trace.Span, stray bool) {
	v := s.graph.View()
	inFlow, sent := map[trace.TraceID]bool{}, false
	for cause, rule := range v.Causes(n) {
		if v.Evicted(cause) {
			continue
		}
		id := v.Span(cause).TraceID()
		inFlow[id] = inFlow[id] || v.InFlow(cause)
		if rule == trace.ByMessage && stray {
			sent = true
			s.leaveTo(id, inFlow)
		}
	}
	for l := range span.Links() {
		if t := s.traces[l.TraceID()]; stray || t == nil || len(t.whole) == 0 && t.started == nil {
			s.leaveTo(l.TraceID(), inFlow)
		}
	}
	room := s.settings.Recorded || len(s.bygone.messages) < mostBygone
	if m := messageOf(span); stray && !sent && room && m.id != "" && span.Kind() == trace.Consumer {
		s.bygone.messages[s.index.hashMessage(m)] = struct{}{}
	}
}

// leaveTo books a span that follows from one of a trace, unless a flow has that.
func (s *Store) leaveTo(id trace.TraceID, inFlow map[trace.TraceID]bool) {
	switch t := s.traces[id]; {
	case inFlow[id]:
	case t != nil:
		t.miss(1)
	case s.settings.Recorded || len(s.bygone.traces) < mostBygone:
		s.bygone.traces[id]++
	}
}

// miss books spans that made room and may follow from any of the trace.
func (t *traceEntry) miss(spans int32) {
	t.missing += spans
	t.orphans += spans
}

// misses books what made room before the trace began.
func (s *Store) misses(t *traceEntry) {
	if n := s.bygone.traces[t.id]; n > 0 {
		t.miss(n)
		delete(s.bygone.traces, t.id)
	}
}

// missesConsumer books that somebody made room who had consumed the message of a new span.
func (s *Store) missesConsumer(t *traceEntry, span trace.Span) {
	if len(s.bygone.messages) == 0 || span.Kind() != trace.Producer {
		return
	}
	if m := messageOf(span); m.id != "" {
		if _, gone := s.bygone.messages[s.index.hashMessage(m)]; gone {
			t.miss(1)
		}
	}
}

// mayFollow reports whether n, or a span above it, follows from one of another trace, by a
// link or a message: a stray that does would join the flow of that one.
func (s *Store) mayFollow(v trace.View, n trace.Node) bool {
	for ok := true; ok; n, ok = v.Parent(n) {
		span := v.Span(n)
		for range span.Links() {
			return true
		}
		if span.Kind() == trace.Consumer && messageOf(span).id != "" {
			return true
		}
	}
	return false
}
