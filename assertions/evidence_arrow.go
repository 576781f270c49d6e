package assertions

import (
	"fmt"
	"slices"
	"strings"

	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/trace"
)

// arrow explains a line under calls or sequence.
func (x *explainer) arrow() {
	k, a := x.check, x.check.arrow
	called := x.in.sets[k.target].members
	switch {
	case a.Forbidden:
		x.forbidden(called)
	case len(called) < a.Count.Min:
		x.tooFewCalls(called)
	case a.Count.Max >= 0 && len(called) > a.Count.Max:
		x.Why = fmt.Sprintf("%s, %s allowed", counted(len(called), "call"), a.Count)
		x.surplus(called)
	case a.Within > 0 && !x.inTime(called):
	default:
		x.chainBroken(k.chain)
	}
}

// does says what the arrow wants: checkout calls payment: Charge.
func (x *explainer) does() string {
	a := x.check.arrow
	verb := map[Relation]string{Calls: "calls", CallsDirectly: "calls", Causes: "causes"}[a.Relation]
	text := a.Caller.Name + " never " + verb + " " + a.Callee.Name
	if a.Operation != "" {
		text += ": " + a.Operation
	}
	if a.Relation == CallsDirectly {
		text += ", directly"
	}
	return text
}

func (x *explainer) tooFewCalls(called []trace.Node) {
	k, a := x.check, x.check.arrow
	callers, callees := x.in.sets[k.caller], x.in.sets[k.callee]
	x.Why = x.does()
	if len(called) > 0 {
		x.Why = fmt.Sprintf("%s, %s wanted", counted(len(called), "call"), a.Count)
		for _, n := range called {
			x.span(n, "")
		}
	}
	switch {
	case len(callers.members) == 0:
		x.Why = "no span is of " + a.Caller.Name
		x.missing(callers.plan)
		return
	case len(callees.members) > len(called):
		x.unrelatedSpans(callees.members, called)
	default:
		x.missing(callees.plan)
	}
	x.below(callers.members, a.Caller.Name)
}

// unrelatedSpans shows callee spans of the flow that the caller did not call.
func (x *explainer) unrelatedSpans(callees, called []trace.Node) {
	for _, n := range x.frame.ByStart(callees) {
		if slices.Contains(called, n) {
			continue
		}
		x.span(n, "%s", x.whoCalled(n))
	}
	x.keysAreNoCause(callees)
}

// whoCalled says where a span hangs.
func (x *explainer) whoCalled(n trace.Node) string {
	service := x.flow.Span(n).Service()
	for p, ok := x.flow.Parent(n); ok; p, ok = x.flow.Parent(p) {
		if x.flow.Span(p).Service() != service {
			return "it was called by " + x.name(p)
		}
	}
	for cause, rule := range x.flow.Causes(n) {
		return fmt.Sprintf("it follows from %s by %s", x.name(cause), rule)
	}
	if key := x.joinedByKey(n); key != "" {
		return "it is joined by " + key + " only; no parent, link or message leads to it"
	}
	if !x.flow.Span(n).ParentID().IsZero() {
		return "a span above it never arrived, so who called it is not known"
	}
	return "nobody called it: it is the root of its trace"
}

// below says which services the caller reached.
func (x *explainer) below(callers []trace.Node, name string) {
	seen := map[string]bool{}
	var services []string
	var walk func(trace.Node)
	visited := map[trace.Node]bool{}
	walk = func(n trace.Node) {
		if visited[n] {
			return
		}
		visited[n] = true
		if s := x.flow.Span(n).Service(); !seen[s] && s != "" {
			seen[s] = true
			services = append(services, clone(s))
		}
		for c := range x.flow.Children(n) {
			walk(c)
		}
		for c := range x.flow.Effects(n) {
			walk(c)
		}
	}
	for _, n := range callers {
		walk(n)
	}
	if len(services) < 2 {
		return // nothing but itself
	}
	slices.Sort(services)
	x.fact("below "+name, "%s", strings.Join(services, ", "))
}

// forbidden explains calls that must not be.
func (x *explainer) forbidden(called []trace.Node) {
	a := x.check.arrow
	x.Why = fmt.Sprintf("%s calls %s, which is forbidden", a.Caller.Name, a.Callee.Name)
	if len(called) > 1 {
		x.Why += fmt.Sprintf(" (%d times)", len(called))
	}
	for _, n := range called {
		x.span(n, "%s", x.chainAbove(n))
	}
}

// newcomers explains callees that a closed world does not list.
func (x *explainer) newcomers() {
	others := x.frame.ByStart(x.in.sets[x.check.target].members)
	var names []string
	for _, n := range others {
		name := clone(x.flow.Span(n).Service())
		if k := x.flow.Span(n).Kind(); k == trace.Client || k == trace.Producer {
			if peers := x.frame.Peers(n); len(peers) > 0 {
				name = clone(peers[0])
			}
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		x.span(n, "%s", x.chainAbove(n))
	}
	x.Why = "it also calls " + enumerate(names, "and")
}

// inTime reports whether all calls took no longer than the arrow allows, and
// explains those that did.
func (x *explainer) inTime(called []trace.Node) bool {
	a := x.check.arrow
	what, measure := "call", x.callTime
	if a.Relation == Causes {
		what, measure = "delay", x.asyncDelay
	}
	late := 0
	for _, n := range called {
		v := measure(n)
		if v.Kind() == lang.Duration && v.Duration() <= a.Within {
			continue
		}
		if late++; late == 1 {
			x.lateCall(n, v)
		}
		x.span(n, "%s %s", what, x.show(v))
	}
	if late == 0 {
		return true
	}
	if late > 1 {
		x.Why = fmt.Sprintf("%d of %s %s too long; the first: %s", late, counted(len(called), "call"), takes(late), x.Why)
	}
	return false
}

func takes(n int) string {
	if n == 1 {
		return "took"
	}
	return "take"
}

func (x *explainer) lateCall(n trace.Node, v lang.Value) {
	if v.Kind() == lang.Missing {
		x.Why = "nothing says which message " + x.name(n) + " follows from, so its delay is not known"
		return
	}
	x.Why = fmt.Sprintf("it took %s, %s allowed", x.show(v), lang.FormatDuration(x.check.arrow.Within))
	if x.check.arrow.Relation == Causes {
		p, call := x.frame.Sent(n, x.callers())
		from, sent, received := "end", "the message was sent", "it was consumed"
		if call {
			from, sent, received = "start", "the call was made", "it arrived"
		}
		x.fact("measured", "%s, from the %s of %s to the start of %s", x.show(v), from, x.name(p), x.name(n))
		x.fact("allowed", "%s", lang.FormatDuration(x.check.arrow.Within))
		x.onTime(p, "%s", sent)
		x.onTime(n, "%s", received)
		return
	}
	x.fact("measured", "%s, as the caller of %s saw it", x.show(v), x.name(n))
	x.fact("allowed", "%s", lang.FormatDuration(x.check.arrow.Within))
	x.parts(n)
}

func (x *explainer) callTime(n trace.Node) lang.Value {
	return lang.MustCompile("callTime(it)", &lang.Scope{Span: true}).OfSpan(x.frame, n)
}

func (x *explainer) asyncDelay(n trace.Node) lang.Value { return x.frame.AsyncDelay(n, x.callers()) }

func (x *explainer) callers() []trace.Node { return x.frame.Sets[x.check.caller].Nodes }
