package assertions

import (
	"fmt"

	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/trace"
)

// across compiles the assertions over many instances of one flow.
func (c *compiler) across(a *Across) []*check {
	if a == nil {
		return nil
	}
	scope := &lang.Scope{Sets: c.plan.names, Params: c.params, Across: true}
	condition := func(e Expr) *lang.Expr {
		x, found := lang.CompileBool(e.Text, scope)
		c.report(e, found)
		return x
	}
	var out []*check
	for _, decl := range a.Expect {
		if decl.Within > 0 {
			c.problems = append(c.problems, diag.Diagnostic{Severity: diag.Error, What: "within has no meaning here", Range: decl.Range, Label: "it counts from the start of one instance, and across is about many"})
		}
		k := &check{assertion: c.assertion(KindAcross, decl.Name, decl.That, decl.Range), that: condition(decl.That), source: decl.That, text: decl.That.Text, target: -1, over: -1}
		k.assertion.Because, k.assertion.Severity = decl.Because, decl.Severity
		if !decl.When.IsZero() {
			k.when, k.guard = condition(decl.When), decl.When
		}
		out = append(out, k)
	}
	return out
}

// JudgeAcross judges a flow's across: over its closed instances, in the order in
// which they are given. Lost is how much was sent or recorded that could not be taken:
// there may have been more instances, or more to them. It returns nothing if the flow
// has no across.
func (s *Suite) JudgeAcross(flow string, closed []*Instance, lost int) []Verdict {
	f := s.Flow(flow)
	if len(f.across) == 0 {
		return nil
	}
	in := newInstance(f)
	fr := in.frame
	fr.Open = false
	var all pastRuns
	for _, run := range closed {
		if run.judged.IsZero() {
			continue
		}
		if run.judged.Received() >= fr.View.Received() {
			fr.View, in.judged = run.judged.View, run.judged
		}
		past := run.past()
		fr.Runs = append(fr.Runs, past.RunState)
		all.add(past)
	}
	var out []Verdict
	for _, k := range f.across {
		st := &checkState{check: k}
		guard, that := in.answer(st)
		v := Verdict{Assertion: k.assertion, Outcome: outcome(guard, that)}
		want := f.Decl.Across.Runs
		why := all.doubtOf(v.Outcome, lost)
		switch {
		case len(fr.Runs) < want && v.Outcome == Pass:
			v.Outcome = Inconclusive
			v.explained().Why = fmt.Sprintf("it holds for %s, and %d were asked for", counted(len(fr.Runs), "run"), want)
		case why != "":
			v.Outcome, v.Grade = Inconclusive, max(all.grade, Quiet)
			v.explained().Why = "for what arrived this is a " + outcome(guard, that).String() + ", but " + why
		default:
			in.explain(&v, st, in.judged, guard, that)
		}
		out = append(out, v)
	}
	return out
}

// pastRun is what across sees of a closed instance.
type pastRun struct {
	*lang.RunState
	lost  bool   // data that it should have
	grade Grade  // of what it lacks
	doubt string // why that is not better
	least Grade  // that was asked for
}

func (in *Instance) past() *pastRun {
	if in.released == nil {
		return in.pastRun()
	}
	p := *in.released.run
	p.lost = p.lost || in.judged.Remains().Late > 0 || in.judged.Remains().Unanswered
	return &p
}

func (in *Instance) pastRun() *pastRun {
	f := in.judged
	p := &pastRun{RunState: in.summary(), lost: len(f.Losses()) > 0, least: in.required}
	switch {
	case len(f.OpenEdges()) > 0:
		p.grade, p.doubt = Unproved, "not everything arrived of flow "+f.ID
	case in.required == Proved:
		if p.doubt = unproved(f.Marks(), nil); p.doubt != "" {
			p.grade = Quiet
		}
	}
	return p
}

// pastRuns is what the instances lack together.
type pastRuns struct {
	pastRun
	losing int // of how many data was lost
}

func (all *pastRuns) add(p *pastRun) {
	if p.lost {
		all.losing++
	}
	if p.grade > all.grade {
		all.grade, all.doubt = p.grade, p.doubt
	}
	all.least = max(all.least, p.least)
}

// doubtOf says why a finding about all instances may be wrong, "" if it may not.
func (all *pastRuns) doubtOf(found Outcome, lost int) string {
	switch {
	case found != Pass && found != Fail:
		return ""
	case lost > 0:
		return fmt.Sprintf("not all that was sent or recorded could be taken (%d lost)", lost)
	case all.losing > 0:
		return "data was lost of " + counted(all.losing, "run")
	case found == Fail:
		return ""
	case all.grade == Unproved, all.least != NoAbsence && all.grade > all.least:
		return all.doubt
	}
	return ""
}

// summary is what the expressions of across read of an instance.
func (in *Instance) summary() *lang.RunState {
	r := &lang.RunState{Origin: in.frame.Origin, Sets: in.frame.Sets}
	var first, last trace.Time
	for _, n := range in.spans {
		s := in.judged.Span(n)
		if start := s.Start(); start != 0 && (first == 0 || start < first) {
			first = start
		}
		last = max(last, s.End())
	}
	if r.Duration = last.Sub(first); first == 0 {
		r.Duration = -1
	}
	return r
}
