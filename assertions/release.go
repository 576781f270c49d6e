package assertions

import (
	"slices"

	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/trace"
)

// released is what is kept of an instance whose flow was judged for good.
type released struct {
	response *lang.Response
	answered bool
	matched  []bool   // by set: it has members
	unnamed  []string // parties that no span named
	run      *pastRun
}

// Release says that the instance has judged f, which is closed, and lets go of what
// judging took. What a run asks of closed instances is kept: whether its sets
// matched, and for a flow with across: its sets. Revise, Complete and the warnings of
// a suite still work; they begin anew where they must, which is not possible once the
// flow's spans made room. Call it again when they did, so that nothing keeps what is
// left of the flow.
func (in *Instance) Release(f trace.Flow) {
	if in.released == nil {
		in.released = in.keep()
		in.judging = nil
	}
	if f.Evicted() {
		in.judged = f
	}
}

func (in *Instance) keep() *released {
	r := &released{response: in.frame.Response, answered: in.response, matched: make([]bool, len(in.sets))}
	for i, t := range in.sets {
		r.matched[i] = len(t.members) > 0
	}
	for _, k := range in.flow.plan.checks {
		for _, p := range k.parties {
			if !slices.Contains(r.unnamed, p.Name) && !in.named(p.Name) {
				r.unnamed = append(r.unnamed, p.Name)
			}
		}
	}
	if len(in.flow.across) > 0 {
		r.run = in.pastRun()
	}
	return r
}

// restored is the instance as it was before it was released, nil if the flow's spans
// made room meanwhile.
func (in *Instance) restored() *Instance {
	if in.released == nil {
		return in
	}
	if in.judged.Evicted() {
		return nil
	}
	again := in.anew()
	again.Evaluate(in.judged)
	return again
}

// anew is an instance that has judged nothing yet.
func (in *Instance) anew() *Instance {
	again := newInstance(in.flow)
	again.required = in.required
	if in.released != nil {
		again.frame.Response, again.response = in.released.response, in.released.answered
	} else {
		again.frame.Response, again.response = in.frame.Response, in.response
	}
	return again
}

func (in *Instance) hasMatched(set int) bool {
	if in.released != nil {
		return in.released.matched[set]
	}
	return len(in.sets[set].members) > 0
}

func (in *Instance) hasNamed(party string) bool {
	if in.released != nil {
		return in.judged.HasService(party) || !slices.Contains(in.released.unnamed, party)
	}
	return in.named(party)
}

// Doubt makes those verdicts inconclusive that rest on an absence, be it that of what a
// guard asks for, for a reason that became known after the flow was judged.
func Doubt(verdicts []Verdict, why string) {
	for i := range verdicts {
		v := &verdicts[i]
		if !v.unasked && (v.Grade == NoAbsence || v.Outcome != Pass && v.Outcome != Fail) {
			continue
		}
		v.Outcome, v.Grade, v.unasked = Inconclusive, Unproved, false
		e := v.explained()
		e.Why, e.Try = why, append(e.Try, "raise --memory")
	}
}
