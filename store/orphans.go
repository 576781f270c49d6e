package store

import (
	"cmp"
	"encoding/binary"
	"slices"
	"sort"

	"github.com/followspan/followspan/trace"
)

// orphans are the spans of one trace that name a parent which has not arrived, and that
// no flow has caused: any flow that has a part of the trace may miss what is above them.
// They are in the order of their starts, since a trace that a whole test suite shares has
// many, and as many flows.
type orphans map[orphanKind][]orphan

// orphanKind tells apart what belongs to a flow under different conditions, so that of
// each only the last in the time of the flow need be looked at.
type orphanKind struct {
	host string
	kind trace.Kind // what handles nothing is Internal
}

type orphan struct {
	start trace.Time
	id    uint64 // so that the order is not that of the arrival
	node  trace.Node
}

func (a orphan) compare(b orphan) int {
	return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.id, b.id), cmp.Compare(a.node, b.node))
}

// fewSpans of a trace are looked at rather than put in order.
const fewSpans = 32

func orphanOf(n trace.Node, span trace.Span) (orphanKind, orphan) {
	k, id := orphanKind{span.Resource().Host(), span.Kind()}, span.ID()
	if !isEntry(span) {
		k.kind = trace.Internal
	}
	return k, orphan{span.Start(), binary.BigEndian.Uint64(id[:]), n}
}

// isEntry reports whether a span handles a request or a message.
func isEntry(span trace.Span) bool {
	return span.Kind() == trace.Server || span.Kind() == trace.Consumer
}

// isHeadless reports whether a span is an orphan, as far as is known.
func (s *Store) isHeadless(v trace.View, n trace.Node, span trace.Span) bool {
	if span.ParentID().IsZero() || joined(v, n) || span.TraceID() == s.settings.RunTrace && span.ParentID() == s.settings.RunSpan {
		return false
	}
	_, found := v.Parent(n)
	return !found
}

// orphansOf are those of a large trace. They are kept until the next span arrives, and
// some may have been evicted since.
func (s *Store) orphansOf(v trace.View, id trace.TraceID, first trace.Node) orphans {
	if s.orphansAt != s.graph.Len() {
		s.orphans, s.orphansAt = map[trace.TraceID]orphans{}, s.graph.Len()
	}
	all, known := s.orphans[id]
	if known {
		return all
	}
	all = orphans{}
	for n := range v.Trace(first) {
		if span := v.Span(n); s.isHeadless(v, n, span) {
			kind, one := orphanOf(n, span)
			all[kind] = append(all[kind], one)
		}
	}
	for _, of := range all {
		slices.SortFunc(of, orphan.compare)
	}
	s.orphans[id] = all
	return all
}

// lastOrphan is an orphan of a trace that may hang under a member of the instance that
// never came: the one that starts last, or None.
func (s *Store) lastOrphan(in *instance, id trace.TraceID) trace.Node {
	first, held := s.graph.First(id)
	if !held {
		return trace.None
	}
	v := s.graph.View()
	var entries, others lastOf
	if hasMany(v, first) {
		s.findOrdered(v, in, id, s.orphansOf(v, id, first), &entries, &others)
	} else {
		for n := range v.Trace(first) {
			if span := v.Span(n); s.isHeadless(v, n, span) && s.mayBelong(v, in, n, span) {
				_, one := orphanOf(n, span)
				if isEntry(span) {
					entries.offer(one)
				} else {
					others.offer(one)
				}
			}
		}
	}
	if entries.found && !s.entersFromOutside(v, in, id) {
		others.offer(entries.orphan)
	}
	if !others.found {
		return trace.None
	}
	return others.node
}

// hasMany reports whether a trace has too many spans to look at each.
func hasMany(v trace.View, first trace.Node) bool {
	few := 0
	for range v.Trace(first) {
		if few++; few > fewSpans {
			return true
		}
	}
	return false
}

// findOrdered looks for the last of each kind; in the time of the instance, unless it has
// all of the trace.
func (s *Store) findOrdered(v trace.View, in *instance, id trace.TraceID, found orphans, entries, others *lastOf) {
	origin, all := v.Span(in.origin), s.hasRootOf(in, id)
	for kind, of := range found {
		slack := tolerance(kind.host, origin.Resource().Host())
		upto := len(of)
		if !all && kind.kind != trace.Consumer {
			upto = sort.Search(len(of), func(i int) bool { return of[i].start > in.ends.Add(slack) })
		}
		for _, one := range slices.Backward(of[:upto]) {
			if !all && one.start < origin.Start().Add(-slack) {
				break
			}
			if span := v.Span(one.node); !s.isHeadless(v, one.node, span) || !s.mayBelong(v, in, one.node, span) {
				continue
			}
			if kind.kind == trace.Internal {
				others.offer(one)
			} else {
				entries.offer(one)
			}
			break
		}
	}
}

// lastOf is the last of the orphans that were offered.
type lastOf struct {
	orphan
	found bool
}

func (l *lastOf) offer(one orphan) {
	if !l.found || l.compare(one) < 0 {
		l.orphan, l.found = one, true
	}
}
