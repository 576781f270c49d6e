package assertions

import (
	"fmt"
	"slices"

	"github.com/followspan/followspan/internal/diag"
)

// Judged is an instance at the end of a run, with what it found.
type Judged struct {
	*Instance
	Verdicts []Verdict
}

// Warnings says what of a whole run should make one doubt a pass: declared sets
// that no span matched, with the nearest miss, parties of arrows that no span
// named, and guards that never held. What a failure speaks of already is left out.
func (s *Suite) Warnings(closed []Judged) diag.List {
	var out diag.List
	out = append(out, unmatched(closed)...)
	out = append(out, unnamed(closed)...)
	return append(out, neverApplied(closed)...).Sorted()
}

// unmatched warns of sets that are empty in every instance. A set of the file
// belongs to several flows, and one that fills it is enough.
func unmatched(closed []Judged) diag.List {
	matched, troubled := map[diag.Range]bool{}, map[diag.Range]bool{}
	example := map[diag.Range]empty{}
	var order []diag.Range
	for _, j := range closed {
		failed := j.readByFailures()
		for i, p := range j.flow.plan.sets {
			if !p.declared {
				continue
			}
			matched[p.at] = matched[p.at] || j.hasMatched(i)
			troubled[p.at] = troubled[p.at] || failed[i]
			if _, known := example[p.at]; !known && !j.hasMatched(i) {
				example[p.at] = empty{j, p}
				order = append(order, p.at)
			}
		}
	}
	var out diag.List
	for _, at := range order {
		if !matched[at] && !troubled[at] {
			out = append(out, example[at].warning())
		}
	}
	return out
}

// readByFailures are the sets that some verdict other than a pass read.
func (j Judged) readByFailures() map[int]bool {
	out := map[int]bool{}
	for _, v := range j.Verdicts {
		if v.Outcome == Pass || v.Outcome == NotApplicable {
			continue
		}
		i := slices.IndexFunc(j.flow.plan.checks, func(k *check) bool { return k.assertion == v.Assertion })
		if i >= 0 {
			for _, set := range j.flow.plan.checks[i].that.Program().Sets {
				out[set] = true
			}
		}
	}
	return out
}

// empty is a set that nothing matched in an instance.
type empty struct {
	in  Judged
	set *setPlan
}

func (e empty) warning() diag.Diagnostic {
	p := e.set
	d := diag.Diagnostic{Severity: diag.Warning, What: fmt.Sprintf("no span matched %s in the whole run", p.name), Range: p.at}
	in := e.in.restored()
	if in == nil {
		return d
	}
	x := &explainer{Evidence: &Evidence{}, in: in, flow: in.judged, frame: in.frame}
	in.frame.Guard(func() { x.nearest(p) })
	if len(x.Near) > 0 {
		near := x.Near[0]
		d.Label = fmt.Sprintf("the nearest is %s/%s", near.Span.Service, near.Span.Name)
		if near.Fails != "" {
			d.Notes = append(d.Notes, fmt.Sprintf("It satisfies %d of %d conditions, but not %s: %s.", near.Holds, near.Of, near.Fails, near.Actual))
		}
	}
	return d
}

// unnamed warns of parties that no span of the run named, in lines that pass all
// the same: "typo -> x, optional".
func unnamed(closed []Judged) diag.List {
	named, failed := map[diag.Range]bool{}, map[diag.Range]bool{}
	example := map[diag.Range]*diag.Diagnostic{}
	var order []diag.Range
	for _, j := range closed {
		for _, s := range j.flow.plan.checks {
			i := slices.IndexFunc(j.Verdicts, func(v Verdict) bool { return v.Assertion == s.assertion })
			for _, p := range s.parties {
				named[p.Range] = named[p.Range] || j.hasNamed(p.Name)
				failed[p.Range] = failed[p.Range] || i < 0 || j.Verdicts[i].Outcome != Pass
				if example[p.Range] == nil {
					example[p.Range] = j.nobodyNamed(p)
					order = append(order, p.Range)
				}
			}
		}
	}
	var out diag.List
	for _, at := range order {
		if !named[at] && !failed[at] {
			out = append(out, *example[at])
		}
	}
	return out
}

func (j Judged) nobodyNamed(p Party) *diag.Diagnostic {
	d := &diag.Diagnostic{Severity: diag.Warning, What: fmt.Sprintf("no span ever named %s", p.Name), Range: p.Range, Label: "neither a service nor a peer of any span is called this"}
	if near, ok := diag.Suggest(p.Name, slices.Sorted(j.judged.Services())); ok {
		d.Try = append(d.Try, near)
	}
	return d
}

// neverApplied warns of guards that held in no instance.
func neverApplied(closed []Judged) diag.List {
	applied, seen := map[*Assertion]bool{}, map[*Assertion]*check{}
	var order []*Assertion
	for _, j := range closed {
		for _, s := range j.flow.plan.checks {
			if s.when == nil {
				continue
			}
			if seen[s.assertion] == nil {
				seen[s.assertion] = s
				order = append(order, s.assertion)
			}
			i := slices.IndexFunc(j.Verdicts, func(v Verdict) bool { return v.Assertion == s.assertion })
			applied[s.assertion] = applied[s.assertion] || i < 0 || j.Verdicts[i].Outcome != NotApplicable
		}
	}
	var out diag.List
	for _, a := range order {
		if !applied[a] {
			out = append(out, diag.Diagnostic{Severity: diag.Warning, What: "this guard never held, so the assertion asked nothing", Range: seen[a].guard.Range(), Label: "not applicable in any flow"})
		}
	}
	return out
}
