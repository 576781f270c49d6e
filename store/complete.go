package store

import (
	"slices"

	"github.com/followspan/followspan/trace"
)

// advance lets time act on an instance: without open edges it becomes complete by
// watermarks or after a silence, and it closes at its deadline. The agenda then
// says when time will act on it next.
func (s *Store) advance(in *instance, now trace.Time) {
	if in.state == trace.Retracted {
		return
	}
	s.looks += 1 + len(in.pending)
	s.findEdges(in)
	if in.state == trace.Closed {
		s.askAll(in)
		return
	}
	deadline := in.deadline()
	if deadline <= now {
		s.close(in, trace.ByDeadline)
		return
	}
	s.agenda.schedule(in, deadline)
	if len(in.edges) > 0 || in.state == trace.Complete {
		return
	}
	covered := s.covered(in)
	if silent := in.news.Add(s.silence(in)); !covered && silent > now {
		s.agenda.schedule(in, min(silent, deadline))
		return
	}
	if s.settleOrigin(in) {
		return // It gained members, and is looked at again.
	}
	if !covered && !in.of.Hasty && !s.startedAll() {
		s.giveUpOn(in)
	}
	in.state = trace.Complete
	if covered {
		in.reason = trace.ByWatermarks
	}
	s.markDirty(in)
}

func (s *Store) close(in *instance, why trace.Reason) {
	s.settleOrigin(in)
	in.ended = trace.TimeOf(s.settings.Now())
	in.restless = s.isRestless(in, why)
	in.state, in.reason = trace.Closed, why
	s.findEdges(in)
	s.bookClosing(in)
	s.suspectOrphans(in)
	s.agenda.remove(in)
	in.unwatch()
	in.stopRest()
	s.keepPending(in, slices.Clone(in.pending)) // what comes late may answer them
	s.markDirty(in)
}

// isRestless reports whether an instance closes before it was silent, so that more
// of them have to be expected.
func (s *Store) isRestless(in *instance, why trace.Reason) bool {
	if in.state != trace.Open || s.flushed && s.startedAll() || why != trace.ByDeadline && why != trace.ByEndOfRun {
		return false
	}
	return in.w.Len() > 0 && in.news.Add(s.quiet(in)) > in.ended && !s.covered(in)
}

func (s *Store) keepPending(in *instance, pending []trace.Node) {
	s.book(in, int64(cap(pending)-cap(in.pending))*nodeBytes)
	in.pending = pending
}

func (s *Store) freeze(in *instance, now trace.Time) trace.Flow {
	state := trace.FlowState{
		Origin: in.origin, Trigger: in.trigger, State: in.state, Reason: in.reason, Now: now,
		Edges: in.edges, Cut: in.cutOff(), Moves: int(in.moves), Losses: s.losses(in),
	}
	if in.state != trace.Open {
		state.Marks = s.marks(in)
	}
	if in.remains != nil {
		state.Remains = *in.remains
	}
	state.Remains.Unanswered = in.unanswered
	return in.w.Freeze(state)
}
