package assertions

import (
	"slices"

	"github.com/followspan/followspan/trace"
)

// Complete explains anew, from the closed flow, what failed early: at that time
// the evidence was what had arrived by then. It changes nothing but the evidence.
func (in *Instance) Complete(f trace.Flow, verdicts []Verdict) {
	if f.State() != trace.Closed {
		return
	}
	if f.Evicted() || !slices.ContainsFunc(verdicts, failedEarly) {
		return
	}
	if in = in.restored(); in == nil {
		return
	}
	states := map[*Assertion]*checkState{}
	for _, s := range in.states {
		states[s.assertion] = s
	}
	filled := false
	for i := range verdicts {
		v := &verdicts[i]
		s := states[v.Assertion]
		if s == nil || !failedEarly(*v) {
			continue
		}
		if !filled {
			in.fill(f, in.look(f))
			filled = true
		}
		if guard, that := in.answer(s); outcome(guard, that) == Fail {
			v.Evidence = nil
			in.explain(v, s, f, guard, that)
		}
	}
}

func failedEarly(v Verdict) bool { return v.Early && v.Outcome == Fail }
