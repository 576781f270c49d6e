package assertions

import (
	"slices"

	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/trace"
)

// judge evaluates one assertion and reports whether it is decided.
func (in *Instance) judge(s *checkState, f trace.Flow, closing bool) (Verdict, bool) {
	refreshed := in.refresh(s.late)
	guard, that := in.answer(s)
	s.steps += refreshed
	s.stale, s.spans, s.spent = false, len(in.spans), s.spent+s.steps
	found := outcome(guard, that)
	if !closing && found != Pass && found != Fail && found != NotApplicable {
		return Verdict{}, false
	}
	return in.verdict(s, f, found, guard, that), true
}

// verdict is what one assertion found, with its evidence.
func (in *Instance) verdict(s *checkState, f trace.Flow, found Outcome, guard, that lang.Value) Verdict {
	v := Verdict{Assertion: s.assertion, Instance: f.ID, Outcome: found}
	if in.frame.Open {
		v.Early = true
		in.stamp(&v, s, f)
	} else {
		in.close(&v, s, f, guard, that)
	}
	v.Vacuous = v.Outcome == Pass && in.vacuous(s)
	in.explain(&v, s, f, guard, that)
	return v
}

// answer evaluates guard and assertion. A guard that is not known to hold decides
// alone: whether an assertion applies does not depend on what it says.
func (in *Instance) answer(s *checkState) (guard, that lang.Value) {
	in.frame.Within = s.within
	defer func() { in.frame.Within, in.frame.Tallies = 0, nil }()
	guard = lang.True()
	s.steps = 0
	if s.when != nil {
		in.frame.Tallies = in.remembered(s.when, s.guardTallies)
		guard = s.when.Condition(in.frame)
		s.steps = in.frame.Steps()
		if !guard.True() {
			return guard, lang.Value{}
		}
	}
	in.frame.Tallies = in.remembered(s.that, s.tallies)
	that = s.that.Value(in.frame)
	s.steps += in.frame.Steps()
	return guard, that
}

// remembered is what the closures of an expression may go by: nothing if the flow
// is taken for what it is not, and an edge may matter.
func (in *Instance) remembered(e *lang.Expr, tallies []lang.Tally) []lang.Tally {
	if in.pretending && (e.Program().ReadsEdges || !in.frame.Open) {
		return nil
	}
	return tallies
}

// outcome reads an implication in three values.
func outcome(guard, that lang.Value) Outcome {
	decisive := that
	if !guard.True() {
		decisive = guard
	}
	switch {
	case decisive.Kind() == lang.Unknown:
		switch decisive.Doubt().Why {
		case lang.Failed:
			return Errored
		case lang.Uncertain:
			return Inconclusive
		}
		return Undecided
	case !guard.True():
		return NotApplicable
	case that.True():
		return Pass
	case that.False() || that.Kind() == lang.Missing:
		return Fail
	}
	return Errored
}

// close grades what a closed flow says: what rests on an absence is only as good
// as the absence is.
func (in *Instance) close(v *Verdict, s *checkState, f trace.Flow, guard, that lang.Value) {
	v.At = f.Now().Sub(f.Started)
	if v.Outcome == Undecided {
		v.Outcome = Inconclusive // what the trigger was answered never became known
	}
	if v.Outcome == Pass && in.nobodyCalls(s) {
		v.Outcome = Errored
	}
	if v.Outcome != Pass && v.Outcome != Fail && v.Outcome != NotApplicable {
		return
	}
	if in.certain(s, v.Outcome) {
		return
	}
	v.Grade, s.doubt = in.grade(s, f)
	switch {
	case len(f.Losses()) > 0:
		v.Outcome = Inconclusive
	case v.Outcome != Fail && (v.Grade == Unproved || in.required != NoAbsence && v.Grade > in.required):
		v.Outcome = Inconclusive
	case v.Outcome == NotApplicable:
		v.Grade, v.unasked = NoAbsence, true // Nothing was asked.
	}
}

// certain asks again as if more spans could come: what is known even then rests
// on no absence.
func (in *Instance) certain(s *checkState, found Outcome) bool {
	in.pretend(true)
	guard, that := in.answer(s)
	in.pretend(false)
	return outcome(guard, that) == found
}

// stamp says when an early verdict was decided, and by which span.
func (in *Instance) stamp(v *Verdict, s *checkState, f trace.Flow) {
	v.At = f.Now().Sub(f.Started)
	last := in.lastNews
	if in.originNew {
		last = in.frame.Origin
	}
	consider := func(p *lang.Program) {
		newest := trace.None
		for _, i := range p.Sets {
			if m := in.sets[i].members; in.sets[i].changed && len(m) > 0 {
				newest = max(newest, m[len(m)-1])
			}
		}
		if newest != trace.None {
			last = newest
		}
	}
	if !in.originNew {
		consider(s.that.Program())
		if s.when != nil {
			consider(s.when.Program())
		}
	}
	if last != trace.None {
		v.By = new(ref(f.View, last))
		v.At = max(f.ReceivedAt(last).Sub(f.Started), 0)
	}
}

// vacuous reports whether there was nothing to look at.
func (in *Instance) vacuous(s *checkState) bool {
	if s.over >= 0 {
		return len(in.sets[s.over].members) == 0
	}
	return s.arrow != nil && s.arrow.Forbidden && !in.named(s.arrow.Callee.Name)
}

// nobodyCalls reports whether a forbidden arrow starts at a service that no span
// ever named: mistyped, it would hold for ever.
func (in *Instance) nobodyCalls(s *checkState) bool {
	if s.arrow == nil || !s.arrow.Forbidden {
		return false
	}
	caller := s.arrow.Caller.Name
	declared := slices.ContainsFunc(in.sets, func(t *tracker) bool { return t.plan.name == caller && t.plan.declared })
	return !declared && !in.named(caller)
}

// named reports whether a span is of the service, or names it as its peer, or is
// in the declared set.
func (in *Instance) named(party string) bool {
	for _, t := range in.sets {
		if t.plan.name == party && t.plan.declared {
			return len(t.members) > 0
		}
	}
	if in.frame.View.HasService(party) {
		return true
	}
	for _, n := range in.spans {
		for _, p := range in.frame.Peers(n) {
			if p == party {
				return true
			}
		}
	}
	return false
}

// ref copies what a report says about a span.
func ref(v trace.View, n trace.Node) SpanRef {
	s := v.Span(n)
	r := s.Resource()
	return SpanRef{
		Node: n, TraceID: s.TraceID(), SpanID: s.ID(), Service: clone(s.Service()), Name: clone(s.Name()),
		Kind: s.Kind(), Status: s.Status(), Start: s.Start(), End: s.End(), Process: clone(r.Process()), Host: clone(r.Host()),
	}
}
