package store

import (
	"time"

	"github.com/followspan/followspan/trace"
)

// To hand out a flow takes a look at all its spans that may miss another one, and whoever
// judges it looks at some of them, too. Of a large flow that changes all the time this
// would be done all the time, for each of its spans once for each other one. So it rests
// after it was handed out, some times as long as a look takes.
const (
	fewToLookAt = 1000             // and what has less does not rest
	restForOne  = time.Microsecond // for each of them
)

// restAfter is until when an instance rests that is handed out now.
func (in *instance) restAfter(now trace.Time) trace.Time {
	looks := len(in.pending) + len(in.others())
	if looks < fewToLookAt {
		return 0
	}
	return now.Add(time.Duration(looks) * restForOne)
}

// rest keeps an instance back that changed while it rests, and reports whether it does.
// Where a flow has got, complete or closed, is told at once.
func (s *Store) rest(in *instance, now trace.Time) bool {
	if in.rests <= now || s.settings.Recorded || s.closed || in.evicted {
		return false
	}
	switch in.state {
	case trace.Open:
		if in.deadline() <= now {
			return false
		}
		s.agenda.schedule(in, min(in.rests, in.deadline()))
	case trace.Closed:
		s.agenda.schedule(in, in.rests)
	default:
		return false
	}
	in.resting = true
	return true
}

// endRest lets an instance be handed out that rested.
func (s *Store) endRest(in *instance) {
	in.resting = false
	s.dirty.push(in)
	if in.state == trace.Closed {
		s.agenda.remove(in)
	} else {
		s.agenda.schedule(in, in.deadline())
	}
}

// stopRest makes an instance one that has no news and may be handed out at once.
func (in *instance) stopRest() {
	in.rests = 0
	if in.resting {
		in.resting, in.dirty = false, false
	}
}
