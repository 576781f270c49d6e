package store

import "github.com/followspan/followspan/trace"

// advance lets time act on an instance: without open edges it becomes complete by
// watermarks or after a silence, and it closes at its deadline. The agenda then
// says when time will act on it next.
func (s *Store) advance(in *instance, now trace.Time) {
	if in.state.State == trace.Closed || in.state.State == trace.Retracted {
		return
	}
	s.findEdges(in)
	deadline := in.deadline()
	if deadline <= now {
		s.close(in, trace.ByDeadline)
		return
	}
	s.agenda.schedule(in, deadline)
	if len(in.state.Edges) > 0 || in.state.State == trace.Complete {
		return
	}
	if s.covered(in) {
		in.state.State, in.state.Reason = trace.Complete, trace.ByWatermarks
		s.markDirty(in)
		return
	}
	if silent := in.news.Add(s.quiet(in)); silent > now {
		s.agenda.schedule(in, min(silent, deadline))
		return
	}
	in.state.State = trace.Complete
	s.markDirty(in)
}

func (s *Store) close(in *instance, why trace.Reason) {
	s.findEdges(in)
	in.state.State, in.state.Reason = trace.Closed, why
	in.ended = trace.TimeOf(s.settings.Now())
	s.suspectOrphans(in)
	s.agenda.remove(in)
	in.unwatch()
	s.markDirty(in)
}

func (s *Store) freeze(in *instance, now trace.Time) trace.Flow {
	state := in.state
	state.Now = now
	state.Losses = s.losses(in)
	if state.State != trace.Open {
		state.Marks = s.marks(in)
	}
	return in.w.Freeze(state)
}
