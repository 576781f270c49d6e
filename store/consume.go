package store

import (
	"context"
	"slices"
	"strings"

	"github.com/followspan/followspan/trace"
)

// Consume takes a batch. An error means that nothing of it was taken; it is
// ErrFull, and the sender may try again, or for a recording that was closed
// ErrClosed. Consume never blocks on readers.
func (s *Store) Consume(_ context.Context, b trace.Batch) error {
	s.enter()
	defer s.mu.Unlock()
	defer s.signal()
	if b.Received == 0 {
		b.Received = trace.TimeOf(s.settings.Now())
	}
	if s.closed && s.settings.Recorded {
		return ErrClosed
	}
	if err := s.admit(b); err != nil {
		s.log(Op{Kind: OpRefuse, Batch: b})
		return err
	}
	s.log(Op{Kind: OpConsume, Batch: b})
	s.lose(b)
	if len(b.Spans) == 0 {
		return nil
	}
	s.stats.Requests++
	s.lastNews = s.settings.Now()
	for _, span := range b.Spans {
		s.take(span, b.Received)
	}
	s.mark(b)
	s.settle()
	return nil
}

// take adds one span to the graph and to the flows that it belongs to.
func (s *Store) take(span trace.Span, at trace.Time) {
	h := s.index.hash(span)
	s.refused.came(idOf(span))
	switch twin, shared := s.index.find(s.graph.View(), span, h); {
	case twin == trace.None:
		s.add(span, at, h, shared)
	case s.graph.View().Span(twin).Equal(span):
		s.graph.AddCopy(twin)
		s.stats.Copies++
		s.stats.CopiesBy[s.process(span).name]++
	default:
		s.differ(twin, span)
	}
}

// differ books a span that is not kept: it has arrived before, and said something else,
// or its id is taken.
func (s *Store) differ(twin trace.Node, span trace.Span) {
	if len(s.stats.Differing) < maxOddities {
		s.stats.Differing = append(s.stats.Differing, Differing{span.ID(), strings.Clone(span.Service())})
	}
	kept := s.graph.View().Span(twin)
	if kept.Service() == span.Service() && kept.Alike(span) || s.differing[twin] {
		return
	}
	s.differing[twin] = true
	for in := range s.instancesOf(twin) {
		s.drop(in, differingVersions, 1)
		s.changed(in)
	}
}

// differingVersions is a loss to a flow: which version is right nobody knows.
const differingVersions = "spans of which another version was kept aside"

// add takes a span that is none of those that have arrived.
func (s *Store) add(span trace.Span, at trace.Time, h spanHashes, shared bool) {
	n := s.graph.Add(span, at)
	s.stats.count(span)
	p := s.process(span)
	s.hear(p, span, at)
	p.unjoined++
	t := s.trace(span.TraceID())
	joined, united := s.index.add(n, span, h, shared)
	s.missesConsumer(t, span)
	s.peers.learn(s.graph.View(), n)
	s.hops.learn(s.graph.View(), n, span)
	s.place(t, n)
	s.satisfied = append(s.satisfied, joined...) // They have come to the flows of n with n.
	for _, other := range united {
		s.spread(other)
	}
	if len(joined)+len(united) > 0 {
		s.attached = append(s.attached, n)
	}
	for _, m := range s.index.moved {
		s.move(m)
	}
	for _, consumer := range s.index.parted {
		s.part(consumer)
	}
	s.addStray(n, span)
	s.linksLate(span)
	s.learnUnsampled(span)
	if s.late {
		s.late = false
		s.stats.Late++
	}
}

// settle does once per batch what need not be done per span.
func (s *Store) settle() {
	slices.Sort(s.satisfied)
	for _, n := range slices.Compact(s.satisfied) {
		s.noLongerWaits(n)
	}
	s.satisfied = s.satisfied[:0]
	for _, n := range s.attached {
		s.retractNested(n)
	}
	s.attached = s.attached[:0]
	defer s.wakeAstray()
	defer s.answerLate()
	defer s.settleLeft()
	for len(s.crowded)+len(s.ambiguous)+len(s.freed) > 0 {
		crowded, ambiguous, freed := s.crowded, s.ambiguous, s.freed
		s.crowded, s.ambiguous, s.freed = nil, nil, nil
		for _, st := range crowded {
			s.divide(st)
		}
		for _, in := range ambiguous {
			if in.state != trace.Retracted && !in.evicted {
				s.refound(in)
			}
		}
		for _, h := range freed {
			s.hand(h)
		}
	}
}
