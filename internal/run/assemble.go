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
		Ended: r.end(), Recorded: r.recorded, Steps: r.steps, Received: r.received(),
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
	all := r.inOrder()
	out = make([]assertions.Judged, 0, len(all))
	for _, j := range all {
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
	for _, s := range stats.Differing {
		differing.add(func() (string, string) {
			return fmt.Sprintf("span %s of %s arrived twice with different content", s.ID, s.Service),
				"The first version counts. Many spans share an id, or a span was changed after it was sent."
		})
	}
	shared := oddities{what: "values of correlation keys stand under several origins"}
	for _, value := range stats.SharedKeys {
		shared.add(func() (string, string) {
			return "the correlation key " + value + " stands under several origins", "It joins nothing: it would merge flows that have nothing to do with each other."
		})
	}
	messages := oddities{what: "messages were sent in several traces"}
	for _, id := range stats.SharedMessages {
		messages.add(func() (string, string) {
			return "the message " + id + " was sent in several traces", "Consumers whose context does not tell which they had belong to the flows of all: give each message an id of its own."
		})
	}
	backwards := oddities{what: "flows have spans that started before what caused them"}
	for _, j := range r.inOrder() {
		if j.backwards.count > 0 {
			backwards.add(func() (string, string) {
				return j.backwards.first, fmt.Sprintf("Flow %s has %d such pairs. Their timestamps contradict causality and order nothing.", j.latest.ID, j.backwards.count)
			})
		}
	}
	silent := oddities{what: "peers that a flow calls silent send spans"}
	for _, name := range r.silentPeers() {
		if sent := stats.Services[name]; sent > 0 {
			silent.add(func() (string, string) {
				return fmt.Sprintf("stitch.silent names %s, which sent spans (%d)", name, sent), "What calls of it owe counts as not missing: is it another peer of that name?"
			})
		}
	}
	return slices.Concat(differing.list(), shared.list(), messages.list(), backwards.list(), silent.list())
}

// silentPeers are those that the flows say send no spans, each once.
func (r *runner) silentPeers() (names []string) {
	for _, in := range r.Inputs {
		for _, flow := range in.Suite.File().Flows {
			if in.selects(flow.Name) {
				names = append(names, flow.Stitch.Silent...)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (r *runner) flowResult(input int, suite *assertions.Suite, flow *assertions.Flow, view trace.View) FlowResult {
	out := FlowResult{Name: flow.Name, Description: flow.Description, Instances: make([]InstanceResult, 0, r.instances(input, flow.Name))}
	var closed []*assertions.Instance // that are compared
	for _, j := range r.inOrder() {
		if j.input == input && j.flow == flow.Name && !j.latest.IsZero() {
			j.instance.Complete(j.latest, j.verdicts)
			sortVerdicts(j.verdicts, flow.Assertions)
			out.Instances = append(out.Instances, InstanceResult{Flow: j.latest, Verdicts: j.verdicts})
			if j.across {
				closed = append(closed, j.instance)
			}
		}
	}
	if !flow.IsInvariant() {
		s := r.Store.Stats()
		v := suite.JudgeRuns(flow.Name, len(out.Instances), view, s.Lost+s.Refused)
		out.Runs, out.Across = &v, suite.JudgeAcross(flow.Name, closed, s.Lost+s.Refused)
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
