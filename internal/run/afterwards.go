package run

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/trace"
)

// release lets go of what was judged, so that its spans may make room for others.
// What a person will want to look at goes last.
func (r *runner) release(j *judged) {
	if !j.latest.Evicted() {
		j.began, j.backwards = began(j.latest), contradictionsOf(j.latest)
	}
	j.instance.Release(j.latest)
	switch {
	case r.replayed: // The journal says what made room.
	case j.across || !allPassed(j.verdicts):
		r.Store.ReleaseLast(j.latest)
	default:
		r.Store.Release(j.latest)
	}
}

func allPassed(verdicts []assertions.Verdict) bool {
	return !slices.ContainsFunc(verdicts, func(v assertions.Verdict) bool {
		return v.Outcome != assertions.Pass && v.Outcome != assertions.NotApplicable
	})
}

// revise takes in what became known of a flow that was closed: more spans, or that
// it misses some.
func (r *runner) revise(j *judged, f trace.Flow) {
	if f.State() != trace.Closed { // It was handed out while what came before it was judged.
		if f.Len() != j.latest.Len() {
			return // It comes once more, closed.
		}
		f = f.WithState(trace.Closed, j.latest.Reason())
	}
	switch {
	case f.Evicted():
		j.latest = f
	case f.Len() != j.latest.Len(), f.Moves() != j.latest.Moves(),
		len(f.OpenEdges()) != len(j.latest.OpenEdges()), len(f.Losses()) != len(j.latest.Losses()):
		for _, v := range j.instance.Revise(f, j.verdicts) {
			i := slices.IndexFunc(j.verdicts, func(old assertions.Verdict) bool { return old.Assertion == v.Assertion })
			if i >= 0 {
				j.verdicts[i] = v
			}
		}
		j.latest = f
	}
	if why := missed(f); why != "" {
		assertions.Doubt(j.verdicts, why)
	}
}

// missed says what a flow is known to miss since it was judged, "" if nothing.
func missed(f trace.Flow) string {
	switch r := f.Remains(); {
	case r.Late == 1:
		return "a span arrived for the flow when its spans had made room for others, and could not be judged"
	case r.Late > 1:
		return fmt.Sprintf("%d spans arrived for the flow when its spans had made room for others, and could not be judged", r.Late)
	case r.Unanswered:
		return "the flow was judged early to make room, and a service that it called turned out to send spans"
	}
	return ""
}

// contradictions are the pairs of spans of a flow whose timestamps deny what caused
// what: how many, and the first in words.
type contradictions struct {
	first string
	count int
}

func contradictionsOf(f trace.Flow) contradictions {
	if f.IsZero() {
		return contradictions{}
	}
	all := trace.NewOrder(f, 0).Contradictions()
	if len(all) == 0 {
		return contradictions{}
	}
	c := slices.MinFunc(all, func(a, b trace.Contradiction) int {
		return cmp.Or(f.Span(a.Effect).Compare(f.Span(b.Effect)), f.Span(a.Cause).Compare(f.Span(b.Cause)))
	})
	cause, effect := f.Span(c.Cause), f.Span(c.Effect)
	first := fmt.Sprintf("%s/%s started %v before %s/%s, which caused it", effect.Service(), effect.Name(), c.By, cause.Service(), cause.Name())
	return contradictions{first, len(all)}
}
