package assertions

import (
	"slices"

	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/trace"
)

// pretend makes a closed flow look open, or an open one closed, until it is called
// with what the flow is.
func (in *Instance) pretend(open bool) {
	in.frame.Open = open
	in.pretending = open != (in.judged.State() != trace.Closed)
	if !in.pretending {
		in.frame.Sets = in.published
		return
	}
	if in.pretended == nil {
		in.frame.Open = !open
		in.refreshAll()
		in.frame.Open = open
		in.pretended = make([]lang.SetState, len(in.sets))
		in.frame.Sets = in.pretended
		for i, t := range in.sets {
			in.frame.Sets[i] = in.wouldBe(i, t)
		}
	}
	in.frame.Sets = in.pretended
}

// wouldBe is a set as it would be if the flow were what it is taken for.
func (in *Instance) wouldBe(i int, t *tracker) lang.SetState {
	if t.plan.computed != nil {
		v := t.plan.computed.Value(in.frame)
		return lang.SetState{Nodes: v.Nodes(), Doubt: v.Doubt()}
	}
	s := t.state(in.doubtOf(i, t), in.frame.Open)
	if !in.frame.Open {
		s.Nodes = append(slices.Clip(s.Nodes), t.wouldJoin(in.frame)...)
	}
	return s
}

// doubtOf is why more spans may join a set: that of its base.
func (in *Instance) doubtOf(i int, t *tracker) *lang.Doubt {
	switch {
	case i != 0:
		return in.frame.Sets[t.plan.base].Doubt
	case in.frame.Open:
		return lang.Arriving()
	}
	return nil
}
