package store

import (
	"strings"

	"github.com/followspan/followspan/trace"
)

// evictFlow evicts the members that no other flow holds. Of the flow remains what
// Next hands out once more.
func (s *Store) evictFlow(in *instance) {
	s.log(Op{Kind: OpEvict, Number: in.w.Record().Number()})
	in.remains, in.missedBefore = s.remains(in), int32(s.missed(in))
	in.edges = nil
	in.w.Evict()
	known, i := s.knownOf(in), 0
	for n := range in.w.Leave() {
		if !s.held(n) && !s.graph.View().Evicted(n) {
			s.evict(n, known[i])
		}
		i++
	}
	s.bury(in)
	s.stats.Evicted++
	s.markDirty(in)
	s.signal()
}

func (s *Store) remains(in *instance) *trace.Remains {
	services := map[string]bool{}
	for p := range s.parties(in) {
		if !p.own {
			services[p.service] = true
		}
	}
	r := &trace.Remains{Spans: in.w.Len(), Services: len(services)}
	if in.trigger != trace.None {
		r.Spans--
	}
	return r
}

// known is what is known of what caused a span.
type known struct {
	caused bool // a flow's origin did
	orphan bool // something above it has not arrived, or may follow from another trace
	stray  bool // it was in no flow
}

// knownOf says it of the members of an instance, while they are there.
func (s *Store) knownOf(in *instance) []known {
	v, members := s.graph.View(), in.w.Members()
	all, orphans := make([]known, len(members)), map[trace.Node]bool{}
	for i, n := range members {
		if !v.Evicted(n) {
			all[i] = known{caused: v.Connected(n), orphan: s.isOrphanOf(orphans, v, n)}
		}
	}
	return all
}

// isOrphanOf is isOrphan for many: each span is looked at once.
func (s *Store) isOrphanOf(seen map[trace.Node]bool, v trace.View, n trace.Node) bool {
	var below []trace.Node
	orphan, known := seen[n]
	for !known {
		below = append(below, n)
		p, ok := v.Parent(n)
		if !ok {
			orphan = s.isOrphan(v, n)
			break
		}
		n = p
		orphan, known = seen[n]
	}
	for _, m := range below {
		seen[m] = orphan
	}
	return orphan
}

// evictSpan evicts a span that no flow needs.
func (s *Store) evictSpan(n trace.Node) {
	v := s.graph.View()
	s.evict(n, known{orphan: s.isOrphan(v, n) || s.mayFollow(v, n), stray: true})
}

// evict takes a span out of the store.
func (s *Store) evict(n trace.Node, k known) {
	v := s.graph.View()
	span := v.Span(n)
	t := s.traces[span.TraceID()]
	for in := range s.instancesOf(n) {
		in.lost++ // It was cut.
		if in.ways != nil {
			delete(in.ways.far, n)
		}
		s.markDirty(in)
	}
	if !v.InFlow(n) {
		s.evictStray(t, span, k)
		s.leaveBehind(n, span, k.stray)
	}
	delete(s.differing, n)
	s.index.remove(n, span)
	s.forgetKeys(span)
	s.evictLinks(span)
	s.graph.Evict(n)
	if _, alive := s.graph.First(t.id); !alive {
		s.buryTrace(t)
	}
}

// evictStray books that a span made room that is in no flow, or not any more. A flow of
// its trace that begins later may miss it.
func (s *Store) evictStray(t *traceEntry, span trace.Span, k known) {
	t.missing++
	switch {
	case k.orphan && k.caused:
		t.severed = max(t.severed, t.severed+1)
	case k.orphan:
		t.orphans++
	}
	if p := s.process(span); !k.caused && span.Start() >= p.gone.start {
		p.gone = goneStray{span.Start(), strings.Clone(span.Name())}
	}
}

// isOrphan reports whether something above n has not arrived, so that nobody knows
// what caused it.
func (s *Store) isOrphan(v trace.View, n trace.Node) bool {
	for p, ok := v.Parent(n); ok; p, ok = v.Parent(n) {
		n = p
	}
	top := v.Span(n)
	return top.Evicted() || !top.ParentID().IsZero() && top.ParentID() != s.settings.RunSpan
}

// tomb is what is kept of an evicted trace, or of an evicted flow that a value
// stands for, so that spans which come late are known as such.
type tomb struct {
	trace *traceEntry
	in    *instance
}

// bury keeps of an evicted flow what spans that come late need.
func (s *Store) bury(in *instance) {
	in.evicted = true
	s.evicted++
	in.pending, in.processes = nil, nil
	if dropped := in.dropped(); dropped != nil {
		in.ways = &ways{dropped: dropped} // It is told once more.
	} else {
		in.ways = nil
	}
	s.book(in, -in.booked)
	record := in.w.Record()
	delete(s.instances, record.Number())
	if in.of.ids[record.ID] == 1 {
		delete(in.of.ids, record.ID)
	}
	if in.of.Opens == trace.OpensByKey && !s.settings.Recorded {
		s.gone.push(tomb{in: in})
	}
	if in.of.Opens == trace.OpensBySpan {
		st := in.trace.startedOf(in.of)
		st.remove(in)
		st.evicted = append(st.evicted, in)
	}
	if in.trace != nil {
		s.buryTrace(in.trace)
	}
}

// buryTrace keeps a trace of which no span is left for as long as there is memory
// for that.
func (s *Store) buryTrace(t *traceEntry) {
	if s.settings.Recorded {
		return // Nothing is forgotten: anything may come at its end.
	}
	if !t.buried && !s.inUse(t) {
		t.buried = true
		s.gone.push(tomb{trace: t})
	}
	for int64(s.evicted)*evictedBytes+int64(s.gone.len())*(traceBytes+tombBytes) > s.settings.Bytes/16 && s.gone.len() > 0 {
		switch oldest, _ := s.gone.pop(); {
		case oldest.in != nil:
			delete(oldest.in.of.byKey, oldest.in.key)
			s.evicted--
		case s.inUse(oldest.trace):
			oldest.trace.buried = false // Spans have come since.
		default:
			delete(s.traces, oldest.trace.id)
			s.evicted -= oldest.trace.evicted()
			s.lastTrace = nil
		}
	}
}

// evicted counts the flows that are forgotten with the trace.
func (t *traceEntry) evicted() (count int) {
	for _, in := range t.whole {
		if in.evicted && in.of.Opens != trace.OpensBySpan && in.of.Opens != trace.OpensByKey {
			count++
		}
	}
	for st := t.started; st != nil; st = st.next {
		count += len(st.evicted)
	}
	return count
}

// inUse reports whether a trace has spans or flows that were not evicted.
func (s *Store) inUse(t *traceEntry) bool {
	if _, alive := s.graph.First(t.id); alive {
		return true
	}
	for _, in := range t.whole {
		if !in.evicted {
			return true
		}
	}
	for st := t.started; st != nil; st = st.next {
		if len(st.all) > 0 {
			return true
		}
	}
	return false
}

// comesLate books a span that would belong to a flow that was evicted.
func (s *Store) comesLate(in *instance) {
	in.remains.Late++
	s.late = true
	s.markDirty(in)
}

// wasTaken reports whether a flow had all of a trace and was evicted: nobody can
// tell any more whether another origin parts the trace or is a copy of the first.
func (t *traceEntry) wasTaken(d *declaration) bool {
	for _, in := range t.whole {
		if in.evicted && in.of == d {
			return true
		}
	}
	return false
}

// largestShare is the share of all spans that lets a flow count as the one that
// takes all memory, in percent.
const largestShare = 90

// largest is a flow that alone holds nearly all spans, so that waiting for others to
// close makes no room; nil if there is none.
func (s *Store) largest() *instance {
	samples := min(16, s.graph.Len())
	for i := range samples {
		n := trace.Node(s.graph.Len() * i / samples)
		for in := range s.instancesOf(n) {
			if !in.cut && 100*in.w.Len() >= largestShare*s.graph.Live() {
				return in
			}
		}
	}
	return nil
}

// cut lets a flow go on without its oldest spans.
func (s *Store) cut(in *instance) {
	s.log(Op{Kind: OpCut, Number: in.w.Record().Number()})
	in.cut = true
	s.swept = 0
}
