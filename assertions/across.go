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
// which they are given. It returns nothing if the flow has no across.
func (s *Suite) JudgeAcross(flow string, closed []*Instance) []Verdict {
	f := s.Flow(flow)
	if len(f.across) == 0 {
		return nil
	}
	in := newInstance(f)
	fr := in.frame
	fr.Open = false
	for _, run := range closed {
		if run.judged.IsZero() {
			continue
		}
		if run.judged.Received() >= fr.View.Received() {
			fr.View, in.judged = run.judged.View, run.judged
		}
		fr.Runs = append(fr.Runs, run.summary())
	}
	var out []Verdict
	for _, k := range f.across {
		st := &checkState{check: k}
		guard, that := in.answer(st)
		v := Verdict{Assertion: k.assertion, Outcome: outcome(guard, that)}
		if want := f.Decl.Across.Runs; len(fr.Runs) < want && v.Outcome == Pass {
			v.Outcome = Inconclusive
			v.Evidence.Why = fmt.Sprintf("it holds for %s, and %d were asked for", counted(len(fr.Runs), "run"), want)
		} else {
			in.explain(&v, st, in.judged, guard, that)
		}
		out = append(out, v)
	}
	return out
}

// summary is what across sees of a closed instance.
func (in *Instance) summary() *lang.RunState {
	r := &lang.RunState{Origin: in.frame.Origin, Sets: in.frame.Sets}
	var first, last trace.Time
	for i, n := range in.spans {
		s := in.judged.Span(n)
		if i == 0 || s.Start() < first {
			first = s.Start()
		}
		last = max(last, s.End())
	}
	r.Duration = last.Sub(first)
	return r
}
