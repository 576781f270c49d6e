package assertions

import (
	"fmt"
	"slices"

	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/trace"
)

// JudgeRuns says whether the flow happened as often as its runs: asks for. The
// evidence of too few is what did arrive, so v is everything that was received. Lost is
// how much is known to be lost for good: the flow may have happened there.
func (s *Suite) JudgeRuns(flow string, instances int, v trace.View, lost int) Verdict {
	f := s.Flow(flow)
	out := Verdict{Assertion: f.runs, Outcome: Pass}
	c := f.Decl.Runs
	switch {
	case instances < c.Min:
		out.Outcome = Fail
		out.explained().Why = fmt.Sprintf("it %s, %s asked", times(instances), c)
		s.whatArrived(out.explained(), f, v)
	case c.Max >= 0 && instances > c.Max:
		out.Outcome = Fail
		out.explained().Why = fmt.Sprintf("it %s, %s asked", times(instances), c)
		return out
	}
	if lost > 0 && (out.Outcome == Fail || c.Max >= 0) {
		out.Outcome, out.Grade = Inconclusive, Unproved
		out.explained().Why = fmt.Sprintf("it %s, %s asked, but not all that was sent or recorded could be taken (%d lost): it may have happened there", times(instances), c, lost)
	}
	return out
}

func times(n int) string {
	switch n {
	case 0:
		return "never happened"
	case 1:
		return "happened once"
	}
	return "happened " + itoa(n) + " times"
}

// whatArrived shows which spans came nearest to starting the flow.
func (s *Suite) whatArrived(e *Evidence, f *Flow, v trace.View) {
	if v.Received() == 0 {
		e.Notes = append(e.Notes, "No span arrived at all.")
		return
	}
	counts := map[string]int{}
	var services []string
	gone := 0
	for i := range v.Received() {
		s := v.Span(trace.Node(i))
		if s.Evicted() {
			gone++
			continue
		}
		name := s.Service()
		if counts[name] == 0 {
			services = append(services, clone(name))
		}
		counts[name]++
	}
	slices.Sort(services)
	for i, name := range services {
		services[i] = fmt.Sprintf("%s (%d)", name, counts[name])
	}
	e.Facts = append(e.Facts, Fact{"arrived", counted(v.Received(), "span") + " of " + enumerate(services, "and")})
	if gone > 0 {
		e.Notes = append(e.Notes, fmt.Sprintf("%s made room for others and cannot be looked at any more; raise --memory.", counted(gone, "span")))
	}
	if f.Decl.Origin.IsZero() {
		return
	}
	e.Facts = append(e.Facts, Fact{"it starts with", oneLine(f.Decl.Origin.Text)})
	e.Near = s.nearOrigins(f, v)
}

// nearOrigins ranks what arrived by how much of the flow's origin it satisfies.
func (s *Suite) nearOrigins(f *Flow, v trace.View) []NearMiss {
	selector := lang.MustCompile(f.Decl.Origin.Text, &lang.Scope{Span: true, Bare: true, Params: constants(s.file)})
	frame := &lang.Frame{View: v, Origin: trace.None}
	// The origin may look like a set of a flow to which everything belongs.
	graph := trace.NewGraph()
	none := graph.OpenFlow(trace.FlowRecord{}).Freeze(trace.FlowState{Origin: trace.None, Trigger: trace.None})
	none.View = v
	x := &explainer{Evidence: &Evidence{}, in: &Instance{flow: f, judging: &judging{frame: frame}}, flow: none, frame: frame}
	x.nearest(&setPlan{name: "origin", selector: selector})
	near := slices.DeleteFunc(x.Near, func(m NearMiss) bool { return m.Fails == "" })
	for i := range near {
		near[i].OtherTrace = false
	}
	return near
}
