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
	Bytes     int64 // of memory that the store takes
	Evicted   int   // flows whose spans made room for others
	Lost      int   // refused for good, as trace.Batch.Refused tells
	Late      int   // spans that came for such a flow afterwards, and were not looked at
	Differing []Differing
	Services  map[string]int // spans by service
	// SharedKeys are values of correlation keys, as key=value, that several
	// instances hold and that therefore joined nothing.
	SharedKeys []string
	// SharedMessages are messages, by destination and id, that were sent in several
	// traces, and consumed where no context tells which: by the flows of all.
	SharedMessages []string
	Traces         int
	// Unjoined counts by service the spans that belong to no flow.
	Unjoined map[string]int
}

// Differing is a span of which a different version arrived later, which was not kept.
type Differing struct {
	ID      trace.SpanID
	Service string
}

// maxOddities is how many of each kind are remembered one by one.
const maxOddities = 1000

func newStats() Stats { return Stats{Services: map[string]int{}, CopiesBy: map[string]int{}} }

func (s *Stats) count(span trace.Span) {
	s.Spans++
	if service := span.Service(); s.Services[service] > 0 {
		s.Services[service]++ // the key stays that which is there
	} else {
		s.Services[strings.Clone(service)] = 1
	}
}

// Stats returns what was counted so far. The maps and slices are the caller's.
func (s *Store) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.stats
	out.Services, out.Differing = maps.Clone(out.Services), slices.Clone(out.Differing)
	out.SharedKeys, out.CopiesBy = s.sharedKeys(), maps.Clone(out.CopiesBy)
	for m := range s.index.shared {
		out.SharedMessages = append(out.SharedMessages, m.id+" of "+cmp.Or(m.destination, m.system))
	}
	slices.Sort(out.SharedMessages)
	out.Refused, out.Bytes, out.Traces = len(s.refused.spans)+s.refusedMore, s.bytes(), s.newTraces
	out.Unjoined = map[string]int{}
	for _, p := range s.processes {
		if p.unjoined > 0 {
			out.Unjoined[p.service] += p.unjoined
		}
	}
	return out
}

const refusedForMemory = "spans refused: the memory for spans is used up; raise --memory"

func (s *Store) losses(in *instance) []trace.Loss {
	var out []trace.Loss
	add := func(what string, n int) {
		if n > 0 {
			out = append(out, trace.Loss{What: what, Count: n})
		}
	}
	add(refusedForMemory, s.refused.of(in))
	add("spans given up, since this flow alone took nearly all memory for spans; raise --memory", int(in.lost))
	add(notSampled, s.unsampledOf(in))
	add("spans of its trace that made room for others before they were known to belong to it; raise --memory", s.missed(in))
	for what, count := range in.dropped() {
		out = append(out, trace.Loss{What: what, Count: count})
	}
	out = append(out, s.lostTo(in)...)
	slices.SortFunc(out, func(a, b trace.Loss) int { return cmp.Compare(a.What, b.What) })
	return out
}

// missed counts the spans that an instance may have lost before it began. Those of its
// traces that were evicted with it are none of these.
func (s *Store) missed(in *instance) (count int) {
	if in.evicted {
		return int(in.missedBefore)
	}
	if t := in.trace; t != nil && in.whole {
		count += int(t.missing)
	} else if t != nil {
		count += t.detached()
	}
	for id := range in.others() {
		if t := s.traces[id]; t != nil {
			count += t.detached()
		}
	}
	return count
}

// detached counts the spans that made room and may follow from any other of the trace.
func (t *traceEntry) detached() int { return int(t.orphans) + int(t.severed) }

func (s *Store) countDropped(in *instance, span trace.Span) {
	attrs, events, links := span.Dropped()
	attrs += span.Resource().Dropped() + span.Scope().Dropped() + droppedWithin(span)
	if attrs|events|links == 0 {
		return
	}
	for what, n := range map[string]uint32{
		"attributes dropped by the SDK": attrs, "events dropped by the SDK": events, "links dropped by the SDK": links,
	} {
		if n > 0 {
			s.drop(in, what, int(n))
		}
	}
}

// droppedWithin counts the attributes that the events and links of a span lost.
func droppedWithin(span trace.Span) (n uint32) {
	for e := range span.Events() {
		n += e.Dropped()
	}
	for l := range span.Links() {
		n += l.Dropped()
	}
	return n
}

func (s *Store) drop(in *instance, what string, n int) {
	w := s.waysOf(in)
	if w.dropped == nil {
		w.dropped = map[string]int{}
		s.book(in, droppedBytes)
	}
	w.dropped[what] += n
}
