package run

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/trace"
)

// result puts everything in order once the run is over.
func (r *runner) result() *Result {
	if r.system != nil && !slices.ContainsFunc(r.steps, func(s Step) bool { return s.Kind == StepSystem }) {
		r.steps = slices.Insert(r.steps, 0, r.system.Step())
	}
	out := &Result{
		Started: r.started, Duration: r.Clock.Now().Sub(r.started),
		Ended: r.end(), Steps: r.steps, Received: r.received(),
	}
	r.ordered = r.inOrder()
	view := r.Store.View()
	out.Warnings = r.oddities(view)
	for i, in := range r.Inputs {
		file := FileResult{Name: in.Suite.File().Source.Name()}
		for _, flow := range in.Suite.Flows() {
			if in.selects(flow.Name) {
				file.Flows = append(file.Flows, r.flowResult(i, in.Suite, flow, view))
			}
		}
		out.Files = append(out.Files, file)
		out.Warnings = append(out.Warnings, in.Suite.Warnings(r.judgedBy(i))...)
	}
	return out
}

// judgedBy returns the instances of an input's flows.
func (r *runner) judgedBy(input int) (out []assertions.Judged) {
	for _, j := range r.inOrder() {
		if j.input == input && !j.latest.IsZero() {
			out = append(out, assertions.Judged{Instance: j.instance, Verdicts: j.verdicts})
		}
	}
	return out
}

// shownOddities is how many oddities of a kind are told of one by one.
const shownOddities = 5

// oddities collects warnings of one kind.
type oddities struct {
	out  []diag.Diagnostic
	what string // of which there are more
	more int
}

// add counts one more, and asks how to say it if it is to be told of.
func (o *oddities) add(say func() (what, note string)) {
	if len(o.out) == shownOddities {
		o.more++
		return
	}
	what, note := say()
	o.out = append(o.out, diag.Diagnostic{Severity: diag.Warning, What: what, Notes: []string{note}})
}

func (o *oddities) list() []diag.Diagnostic {
	if o.more == 0 {
		return o.out
	}
	return append(o.out, diag.Diagnostic{Severity: diag.Warning, What: fmt.Sprintf("%d more %s", o.more, o.what)})
}

// oddities are what the store found strange.
func (r *runner) oddities(view trace.View) []diag.Diagnostic {
	stats := r.Store.Stats()
	differing := oddities{what: "spans arrived twice with different content"}
	for _, n := range stats.Differing {
		differing.add(func() (string, string) {
			s := view.Span(n)
			return fmt.Sprintf("span %s of %s arrived twice with different content", s.ID(), s.Service()),
				"The first version counts. Two spans share an id, or a span was changed after it was sent."
		})
	}
	shared := oddities{what: "values of correlation keys stand under several origins"}
	for _, value := range stats.SharedKeys {
		shared.add(func() (string, string) {
			return "the correlation key " + value + " stands under several origins", "It joins nothing: it would merge flows that have nothing to do with each other."
		})
	}
	backwards := oddities{what: "flows have spans that started before what caused them"}
	for _, j := range r.inOrder() {
		if c, n := firstContradiction(j.latest); n > 0 {
			backwards.add(func() (string, string) {
				cause, effect := j.latest.Span(c.Cause), j.latest.Span(c.Effect)
				return fmt.Sprintf("%s/%s started %v before %s/%s, which caused it", effect.Service(), effect.Name(), c.By, cause.Service(), cause.Name()),
					fmt.Sprintf("Flow %s has %d such pairs. Their timestamps contradict causality and order nothing.", j.latest.ID, n)
			})
		}
	}
	return slices.Concat(differing.list(), shared.list(), backwards.list())
}

// firstContradiction returns one of the pairs whose timestamps deny what caused
// what, and how many there are.
func firstContradiction(f trace.Flow) (trace.Contradiction, int) {
	if f.IsZero() {
		return trace.Contradiction{}, 0
	}
	all := trace.NewOrder(f, 0).Contradictions()
	if len(all) == 0 {
		return trace.Contradiction{}, 0
	}
	return all[0], len(all)
}

func (r *runner) flowResult(input int, suite *assertions.Suite, flow *assertions.Flow, view trace.View) FlowResult {
	out := FlowResult{Name: flow.Name, Description: flow.Description}
	var closed []*assertions.Instance
	for _, j := range r.inOrder() {
		if j.input == input && j.flow == flow.Name && !j.latest.IsZero() {
			j.instance.Complete(j.latest, j.verdicts)
			sortVerdicts(j.verdicts, flow.Assertions)
			out.Instances = append(out.Instances, InstanceResult{Flow: j.latest, Verdicts: j.verdicts})
			closed = append(closed, j.instance)
		}
	}
	if !flow.IsInvariant() {
		v := suite.JudgeRuns(flow.Name, len(out.Instances), view)
		out.Runs, out.Across = &v, suite.JudgeAcross(flow.Name, closed)
	}
	return out
}

// sortVerdicts puts them in the order of the file.
func sortVerdicts(verdicts []assertions.Verdict, order []*assertions.Assertion) {
	slices.SortStableFunc(verdicts, func(a, b assertions.Verdict) int {
		return cmp.Compare(slices.Index(order, a.Assertion), slices.Index(order, b.Assertion))
	})
}

func (r *runner) end() End {
	switch {
	case r.interrupted:
		return EndedByInterrupt
	case r.recorded:
		return EndedByRecording
	case slices.ContainsFunc(r.steps, Step.CannotRun):
		return EndedByFailure
	case r.deadline:
		return EndedByDeadline
	case r.Command != nil:
		return EndedByCommand
	}
	return EndedByVerdicts
}

func (r *runner) received() Received {
	s := r.Store.Stats()
	out := Received{Spans: s.Spans, Traces: s.Traces, Requests: s.Requests, Copies: s.Copies}
	out.Services, out.Unjoined = counts(s.Services), counts(s.Unjoined)
	if s.Refused > 0 {
		out.Refused = append(out.Refused, trace.Loss{What: "spans refused: the memory for spans is used up", Count: s.Refused})
	}
	return out
}

// counts sorts a count of spans by service.
func counts(of map[string]int) (out []ServiceCount) {
	for service, n := range of {
		out = append(out, ServiceCount{service, n})
	}
	slices.SortFunc(out, func(a, b ServiceCount) int { return cmp.Compare(a.Service, b.Service) })
	return out
}
