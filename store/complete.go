package store

import (
	"slices"
	"time"

	"github.com/followspan/followspan/trace"
)

// advance lets time act on an instance: without open edges it becomes complete by
// watermarks or after a silence, and it closes at its deadline. It returns how long nothing
// more will happen by itself.
func (s *Store) advance(in *instance, now trace.Time) time.Duration {
	if in.state.State == trace.Closed || in.state.State == trace.Retracted {
		return idle
	}
	s.findEdges(in)
	left := in.w.Record().Started.Add(in.of.Timing.Deadline).Sub(now)
	if in.of.Opens == trace.OpensBySession {
		left = idle // Only the end of the run closes it.
	}
	if left <= 0 {
		s.close(in, trace.ByDeadline)
		return idle
	}
	if len(in.state.Edges) > 0 || in.state.State == trace.Complete {
		return left
	}
	if s.covered(in) {
		in.state.State, in.state.Reason = trace.Complete, trace.ByWatermarks
		s.markDirty(in)
		return left
	}
	quiet := in.news.Add(s.quiet(in)).Sub(now)
	if quiet > 0 {
		return min(left, quiet)
	}
	in.state.State = trace.Complete
	s.markDirty(in)
	return left
}

func (s *Store) close(in *instance, why trace.Reason) {
	s.findEdges(in)
	in.state.State, in.state.Reason = trace.Closed, why
	s.suspectOrphans(in)
	s.live = slices.DeleteFunc(s.live, func(other *instance) bool { return other == in })
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
