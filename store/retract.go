package store

import (
	"slices"

	"github.com/followspan/followspan/trace"
)

// retractNested undoes instances whose origin turned out to lie under another
// one of the same flow, and parts a trace that several origins share.
func (s *Store) retractNested(t *traceEntry) {
	if len(t.started) < 2 {
		return
	}
	count := map[*declaration]int{}
	for _, in := range slices.Clone(t.started) {
		if in.of.Opens == trace.OpensBySpan && s.underOrigin(t, in.of, in.state.Origin) {
			s.retract(t, in)
		} else {
			count[in.of]++
		}
	}
	for _, in := range slices.Clone(t.started) {
		if count[in.of] > 1 && in.of.Opens == trace.OpensBySpan && wholeTrace(in.of, t) && in.of.Scope == trace.ScopeAuto {
			s.part(t, in.of)
		}
	}
}

// part founds the instances of a flow anew, each with what its origin caused.
func (s *Store) part(t *traceEntry, d *declaration) {
	t.split[d] = true
	for _, in := range slices.Clone(t.started) {
		if in.of == d {
			s.refound(in)
		}
	}
}

// refound retracts an instance and opens it anew, since members cannot leave.
func (s *Store) refound(in *instance) {
	t := in.trace
	s.retract(t, in)
	again := s.open(in.of, t, in.w.Record().ID, in.w.Record().Started)
	again.key, again.triggerSpan = in.key, in.triggerSpan
	if in.of.Opens != trace.OpensByTrigger {
		s.begin(again, t, in.state.Origin)
		return
	}
	if t.first == trace.None {
		return
	}
	for n := range s.graph.View().Trace(t.first) {
		s.propagate(again, n, trace.ByTrace, 0)
	}
}

func (s *Store) retract(t *traceEntry, in *instance) {
	in.state.State = trace.Retracted
	s.forget(in)
	remove := func(list []*instance) []*instance {
		return slices.DeleteFunc(list, func(other *instance) bool { return other == in })
	}
	t.started, t.whole, s.live = remove(t.started), remove(t.whole), remove(s.live)
	s.stats.Instances--
	s.dirty, in.dirty = remove(s.dirty), false
	if in.handedOut {
		s.markDirty(in)
	}
}
