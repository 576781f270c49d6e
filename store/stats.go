package store

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/followspan/followspan/trace"
)

// Stats counts what was received.
type Stats struct {
	Spans    int // distinct ones
	Requests int
	Copies   int // receipts of a span beyond its first
	// CopiesBy has the copies by service instance, as trace.Resource.Process names it,
	// or by service where it does not.
	CopiesBy  map[string]int
	Refused   int // spans refused and not accepted since
	Instances int
	Bytes     int64
	Differing []trace.Node   // spans of which a different version arrived later, and was kept aside
	Services  map[string]int // spans by service
	// SharedKeys are values of correlation keys, as key=value, that several
	// instances hold and that therefore joined nothing.
	SharedKeys []string
	Traces     int
	// Unjoined counts by service the spans that belong to no flow.
	Unjoined map[string]int
}

func newStats() Stats { return Stats{Services: map[string]int{}, CopiesBy: map[string]int{}} }

func (s *Stats) count(span trace.Span) {
	s.Spans++
	s.Services[strings.Clone(span.Service())]++
}

// Stats returns what was counted so far. The maps and slices are the caller's.
func (s *Store) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.stats
	out.Services, out.Differing = maps.Clone(out.Services), slices.Clone(out.Differing)
	out.SharedKeys, out.CopiesBy = slices.Clone(out.SharedKeys), maps.Clone(out.CopiesBy)
	out.Refused, out.Bytes, out.Traces = len(s.refused), s.bytes, len(s.traces)
	out.Unjoined = map[string]int{}
	v := s.graph.View()
	for n := range v.Received() {
		if !v.InFlow(trace.Node(n)) {
			out.Unjoined[strings.Clone(v.Span(trace.Node(n)).Service())]++
		}
	}
	return out
}

// maxRefused is how many refused spans are remembered one by one.
const maxRefused = 1 << 20

// admit checks a batch against the limit of memory. Spans that it refuses are
// remembered until a later attempt brings them.
func (s *Store) admit(b trace.Batch) error {
	fresh := map[*trace.Block]bool{}
	var size int64
	for _, span := range b.Spans {
		if block := span.Block(); !s.blocks[block] && !fresh[block] {
			fresh[block] = true
			size += block.Size()
		}
	}
	if s.bytes+size <= s.settings.Bytes && !s.full {
		s.bytes += size
		maps.Copy(s.blocks, fresh)
		return nil
	}
	for _, span := range b.Spans {
		if len(s.refused) < maxRefused {
			s.refused[idOf(span)] = true
		}
	}
	return ErrFull
}

func (s *Store) losses(in *instance) []trace.Loss {
	var out []trace.Loss
	refused := 0
	if len(s.refused) > 0 {
		refused = s.refusedIn(in)
	}
	if refused > 0 {
		out = append(out, trace.Loss{What: "spans refused: the memory for spans is used up", Count: refused})
	}
	for what, count := range in.dropped {
		out = append(out, trace.Loss{What: what, Count: count})
	}
	out = append(out, s.lostTo(in)...)
	slices.SortFunc(out, func(a, b trace.Loss) int { return cmp.Compare(a.What, b.What) })
	return out
}

func (s *Store) refusedIn(in *instance) int {
	traces := map[trace.TraceID]bool{in.w.Record().TraceID: true}
	v := s.graph.View()
	for n := range in.hops {
		traces[v.Span(n).TraceID()] = true
	}
	count := 0
	for id := range s.refused {
		if traces[id.trace] || in.of.Opens == trace.OpensBySession {
			count++
		}
	}
	return count
}

func (in *instance) countDropped(span trace.Span) {
	attrs, events, links := span.Dropped()
	if attrs|events|links == 0 {
		return
	}
	for what, n := range map[string]uint32{
		"attributes dropped by the SDK": attrs, "events dropped by the SDK": events, "links dropped by the SDK": links,
	} {
		if n > 0 {
			in.drop(what, int(n))
		}
	}
}

func (in *instance) drop(what string, n int) {
	if in.dropped == nil {
		in.dropped = map[string]int{}
	}
	in.dropped[what] += n
}
