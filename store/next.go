package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/followspan/followspan/trace"
)

// Next returns a flow that changed since it was returned last: it gained members
// or edges, became complete, or closed at its deadline. Several changes become
// one. It blocks until there is one, ctx ends or the store is closed.
func (s *Store) Next(ctx context.Context) (trace.Flow, error) {
	for {
		f, ok, wait, err := s.poll()
		if ok || err != nil {
			return f, err
		}
		if err := s.await(ctx, wait); err != nil {
			return trace.Flow{}, err
		}
	}
}

// await blocks until something was consumed or closed, or d has passed.
func (s *Store) await(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-s.wake:
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// idle is how long Next waits at most before it looks again.
const idle = time.Hour

// poll returns the next changed flow, or how long nothing will change by itself.
func (s *Store) poll() (trace.Flow, bool, time.Duration, error) {
	s.enter()
	defer s.mu.Unlock()
	now := trace.TimeOf(s.settings.Now())
	acted := false
	for in := s.agenda.next(); in != nil && in.due <= now; in = s.agenda.next() {
		if in.resting {
			s.endRest(in)
		} else {
			s.advance(in, now)
		}
		acted = true
	}
	marked := s.dirty.len()
	in := s.popDirty(now)
	if acted || marked != s.dirty.len() {
		s.log(Op{Kind: OpNext, Handed: in != nil})
	}
	if in == nil {
		if s.closed {
			return trace.Flow{}, false, 0, ErrClosed
		}
		return trace.Flow{}, false, s.untilDue(now), nil
	}
	in.handedOut, in.released = true, false
	s.advance(in, now)
	in.rests = in.restAfter(now)
	return s.freeze(in, now), true, 0, nil
}

// untilDue is how long time will not act on anything.
func (s *Store) untilDue(now trace.Time) time.Duration {
	if in := s.agenda.next(); in != nil {
		return min(idle, max(0, in.due.Sub(now)))
	}
	return idle
}

// popDirty takes the next instance to be handed out, nil if there is none.
func (s *Store) popDirty(now trace.Time) *instance {
	for in, ok := s.dirty.pop(); ok; in, ok = s.dirty.pop() {
		if in.dirty && !s.rest(in, now) {
			in.dirty = false
			return in
		}
	}
	return nil
}

func (s *Store) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// CloseFlow closes one instance, as when all its verdicts are certain. Spans that
// arrive later are matched all the same. One that is closed already stays as it is.
func (s *Store) CloseFlow(f trace.Flow, why trace.Reason) {
	s.enter()
	defer s.mu.Unlock()
	if !f.IsZero() {
		s.closeFlow(f.Number(), f.Len(), why)
	}
}

// closeFlow closes an instance of which the caller has seen so many members.
func (s *Store) closeFlow(number uint32, members int, why trace.Reason) {
	in := s.instances[number]
	if in == nil || in.state == trace.Closed {
		return
	}
	s.log(Op{Kind: OpCloseFlow, Number: number, Members: members, Why: why})
	news, edges := in.dirty, len(in.edges)
	s.close(in, why)
	// Otherwise the caller holds what it closed.
	if in.dirty = news || in.w.Len() != members || len(in.edges) != edges || len(s.losses(in)) > 0; in.dirty {
		s.signal()
	}
}

// Close closes all instances; Next hands out what is left and then returns ErrClosed.
// A recording has ended with that: Consume returns ErrClosed, too.
func (s *Store) Close(why trace.Reason) {
	s.enter()
	defer s.mu.Unlock()
	defer s.signal()
	s.log(Op{Kind: OpClose, Why: why})
	s.ending = true
	open := slices.Clone(s.agenda)
	slices.SortFunc(open, func(a, b *instance) int {
		return cmp.Or(cmp.Compare(a.w.Record().Started, b.w.Record().Started), cmp.Compare(a.w.Record().Number(), b.w.Record().Number()))
	})
	for _, in := range open {
		if in.state == trace.Closed {
			s.endRest(in)
		} else {
			s.close(in, why)
		}
	}
	s.orphansLate()
	s.edgesLate()
	s.closed = true
	if s.settings.Recorded {
		old := s.index
		s.index = newIndex(s.graph) // Nothing else is looked for any more.
		// Open edges and a warning rest on these.
		s.index.linkers, s.index.shared = old.linkers, old.shared
	}
}

// View freezes everything that was received.
func (s *Store) View() trace.View {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.graph.View()
}

// Expect opens an instance of a triggered flow: the trigger's own span will have
// these ids, and what it causes will be in its trace. It is called before the
// trigger acts.
func (s *Store) Expect(flow string, id trace.TraceID, span trace.SpanID) (trace.Flow, error) {
	s.enter()
	defer s.mu.Unlock()
	defer s.signal()
	i := slices.IndexFunc(s.flows, func(d *declaration) bool { return d.Flow == flow })
	if i < 0 {
		return trace.Flow{}, fmt.Errorf("expect flow %q: no such flow is declared", flow)
	}
	s.log(Op{Kind: OpExpect, Flow: flow, TraceID: id, SpanID: span})
	now := trace.TimeOf(s.settings.Now())
	s.own[spanID{id, span}] = true
	in := s.open(s.flows[i], s.trace(id), s.uniqueID(s.flows[i], id.Short()), now)
	in.triggerSpan, in.handedOut = span, true
	return s.freeze(in, now), nil
}
