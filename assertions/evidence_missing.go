package assertions

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/trace"
)

// nothing explains a set that is empty and should not be.
func (x *explainer) nothing(set *lang.Expr) {
	x.Why = "no span matches " + oneLine(set.Text())
	plan := x.setOf(set)
	if plan == nil {
		x.emptyPart(set)
		return
	}
	x.missing(plan)
}

// setOf is the declared set that an expression names or is part of.
func (x *explainer) setOf(e *lang.Expr) *setPlan {
	if i, ok := e.Set(); ok {
		return x.in.sets[i].plan
	}
	return nil
}

// emptyPart explains a filter or a relation that leaves nothing of a set.
func (x *explainer) emptyPart(set *lang.Expr) {
	if set.Op != lang.OpCall || len(set.Args) == 0 {
		return
	}
	base := set.Args[0]
	if set.Calls("child", "parent", "descendant", "ancestor", "sibling") {
		base = set.Args[1]
	}
	if x.setOf(base) != nil && len(base.Value(x.frame).Nodes()) == 0 {
		x.nothing(base)
		return
	}
	if c := set.Closure(); c != nil {
		x.counterexamples(x.ordered(base), c, false)
		x.Why = "no span is in " + oneLine(set.Text())
	}
}

// missing looks for what came nearest to a set, and for what may have kept it away.
func (x *explainer) missing(set *setPlan) {
	switch a := x.check.arrow; {
	case set.declared:
		x.fact(set.name+" is", "%s", oneLine(set.meaning(x.in.flow.plan)))
	case a != nil && a.Operation != "":
		x.fact("looked for", "a call that arrives at %s, operation %q", a.Callee.Name, a.Operation)
	case a != nil:
		x.fact("looked for", "a call that arrives at %s", a.Callee.Name)
	}
	x.nearest(set)
	x.unconsumed(set)
	x.unserved(set)
	x.Near = slices.DeleteFunc(x.Near, func(m NearMiss) bool {
		return slices.ContainsFunc(x.Spans, func(s SpanNote) bool { return s.Span.Node == m.Span.Node })
	})
}

// unconsumed shows the messages of the flow that nobody consumed, if what is
// missing may have been meant to.
func (x *explainer) unconsumed(set *setPlan) {
	if !x.mayConsume(set) {
		return
	}
	for _, n := range x.members() {
		if s := x.flow.Span(n); s.Kind() != trace.Producer || !x.isUnconsumed(n) {
			continue
		}
		x.span(n, "nobody consumed this message%s", x.destination(n))
	}
}

// mayConsume reports whether the spans of a set follow from messages: its selector
// speaks of consumers, or its arrow is asynchronous, or a look-alike is a consumer.
func (x *explainer) mayConsume(set *setPlan) bool {
	if a := x.check.arrow; a != nil {
		return a.Relation == Causes
	}
	for _, m := range x.Near {
		if m.Span.Kind == trace.Consumer {
			return true
		}
	}
	if strings.Contains(set.source, "consumer") || strings.Contains(set.source, "messaging.") {
		return true
	}
	service := x.serviceOf(set)
	return service != "" && !slices.ContainsFunc(x.in.spans, func(n trace.Node) bool { return x.flow.Span(n).Service() == service })
}

func (x *explainer) isUnconsumed(n trace.Node) bool {
	for range x.flow.Effects(n) {
		return false
	}
	for c := range x.flow.Children(n) {
		if x.flow.Span(c).Service() != x.flow.Span(n).Service() {
			return false
		}
	}
	return true
}

func (x *explainer) destination(n trace.Node) string {
	if d := x.attr(n, "messaging.destination.name"); d != "" {
		return " to " + d
	}
	return ""
}

// attr is a string attribute of a span, under any of its names.
func (x *explainer) attr(n trace.Node, key string) string {
	for _, k := range trace.Aliases(key) {
		if v, ok := x.flow.Span(n).Lookup(k); ok {
			if v.Kind() == trace.String {
				return clone(v.Str())
			}
			return v.String()
		}
	}
	return ""
}

// unserved shows the calls of the flow that found no server span, if the missing
// spans are of the service that they named.
func (x *explainer) unserved(set *setPlan) {
	service := x.serviceOf(set)
	if service == "" {
		return
	}
	for _, n := range x.members() {
		s := x.flow.Span(n)
		if s.Kind() != trace.Client || !x.names(n, service) || x.hasServer(n) {
			continue
		}
		if s.Status() == trace.Error {
			x.span(n, "it called %s, failed%s, and no server span arrived", service, x.failure(n))
			continue
		}
		x.span(n, "it called %s, and no server span arrived: is %s not instrumented, or was the context lost?", service, service)
	}
}

// failure is how a call failed, in its protocol's words.
func (x *explainer) failure(n trace.Node) string {
	for _, key := range []string{"rpc.response.status_code", "http.response.status_code", "error.type"} {
		if v := x.attr(n, key); v != "" {
			if name, ok := grpcCodes[v]; ok && key == "rpc.response.status_code" {
				v = name
			}
			return " with " + v
		}
	}
	if m := x.flow.Span(n).StatusMessage(); m != "" {
		return fmt.Sprintf(" with %q", m)
	}
	return ""
}

// grpcCodes are the names of the numbers that older instrumentation reports.
var grpcCodes = map[string]string{"1": "CANCELLED", "2": "UNKNOWN", "3": "INVALID_ARGUMENT", "4": "DEADLINE_EXCEEDED", "5": "NOT_FOUND", "6": "ALREADY_EXISTS",
	"7": "PERMISSION_DENIED", "8": "RESOURCE_EXHAUSTED", "9": "FAILED_PRECONDITION", "10": "ABORTED", "11": "OUT_OF_RANGE", "12": "UNIMPLEMENTED",
	"13": "INTERNAL", "14": "UNAVAILABLE", "15": "DATA_LOSS", "16": "UNAUTHENTICATED"}

func (x *explainer) hasServer(n trace.Node) bool {
	for c := range x.flow.Followers(n) {
		if x.flow.Span(c).Kind() == trace.Server {
			return true
		}
	}
	return false
}

// names reports whether a calling span has the service's name for its peer, or a
// name that contains it: inventory.v1.Inventory.
func (x *explainer) names(n trace.Node, service string) bool {
	if strings.Contains(strings.ToLower(x.flow.Span(n).Name()), strings.ToLower(service)) {
		return true
	}
	return slices.ContainsFunc(x.frame.Peers(n), func(p string) bool {
		return strings.Contains(strings.ToLower(p), strings.ToLower(service))
	})
}

// serviceOf is the service that a selector asks for, or "".
func (x *explainer) serviceOf(set *setPlan) string {
	found := ""
	if set.selector == nil {
		return ""
	}
	for _, c := range x.conjunctsOf(set) {
		switch {
		case c.Op == lang.OpCompare && c.Operator == "==" && c.Args[0].Op == lang.OpField && c.Args[0].Operator == "service",
			c.Calls("entersService"):
			if v, ok := c.Args[1].Literal(); ok {
				found = v.Str()
			}
		}
	}
	return found
}

// edgesInWords says what a flow still waited for.
func (x *explainer) edgesInWords(edges []trace.OpenEdge) string {
	var parts []string
	for i, e := range edges {
		if i == 3 {
			parts = append(parts, fmt.Sprintf("%d more", len(edges)-i))
			break
		}
		parts = append(parts, x.edgeInWords(e))
	}
	return enumerate(parts, "and")
}

func (x *explainer) edgeInWords(e trace.OpenEdge) string {
	switch e.Kind {
	case trace.WaitsForParent:
		if x.loops(e) {
			return fmt.Sprintf("%s names a parent whose parents lead back to it: a loop", x.name(e.Node))
		}
		return fmt.Sprintf("%s names a parent that never arrived%s", x.name(e.Node), x.mayBelong(e))
	case trace.WaitsForLinked:
		return fmt.Sprintf("%s links to a span that never arrived%s", x.name(e.Node), x.mayBelong(e))
	case trace.WaitsForServer:
		return fmt.Sprintf("%s has no server span%s", x.name(e.Node), x.stray(e))
	case trace.WaitsForConsumer:
		if x.isConsumed(e.Node) {
			return fmt.Sprintf("the message of %s seems to have been consumed once more%s", x.name(e.Node), x.stray(e))
		}
		return fmt.Sprintf("nobody consumed the message of %s%s", x.name(e.Node), x.stray(e))
	case trace.WaitsForSilence:
		return "the flow had to close before it was silent"
	}
	if _, triggered := x.flow.Trigger(); triggered && e.Node == trace.None {
		return "the trigger happened, but no span of its trace arrived"
	}
	if e.Node == trace.None {
		return "the span that starts the flow never arrived"
	}
	return fmt.Sprintf("%s has not ended", x.name(e.Node))
}

// loops reports whether what is missing is a parent that is there, and below the span.
func (x *explainer) loops(e trace.OpenEdge) bool {
	return e.Kind == trace.WaitsForParent && x.flow.LoopsBack(e.Node)
}

// silentPeer names somebody whom a call without an answer asked and who was not seen to
// send spans, "" if there is none. An address may be that of many.
func (x *explainer) silentPeer() string {
	for _, e := range x.flow.OpenEdges() {
		if e.Kind != trace.WaitsForServer && e.Kind != trace.WaitsForConsumer || len(e.Strays) > 0 {
			continue
		}
		peers := x.frame.Peers(e.Node)
		if len(peers) == 0 || slices.ContainsFunc(peers, x.flow.HasService) {
			continue
		}
		if _, err := netip.ParseAddr(peers[0]); err != nil {
			return peers[0]
		}
	}
	return ""
}

// passedOn returns a call without an answer, and a request to whom it asked whose parent
// never arrived, if there are such: so it looks where somebody in between makes a span and
// does not send it.
func (x *explainer) passedOn() (call, served trace.Node) {
	type place struct {
		trace   trace.TraceID
		service string
	}
	orphans := map[place]trace.Node{}
	for _, e := range x.flow.OpenEdges() {
		if e.Kind != trace.WaitsForParent {
			continue
		}
		if s := x.flow.Span(e.Node); s.Kind() == trace.Server {
			orphans[place{s.TraceID(), s.Service()}] = e.Node
		}
	}
	for _, e := range x.flow.OpenEdges() {
		if e.Kind != trace.WaitsForServer || len(e.Strays) > 0 || len(orphans) == 0 {
			continue
		}
		for _, peer := range x.frame.Peers(e.Node) {
			if n, ok := orphans[place{x.flow.Span(e.Node).TraceID(), peer}]; ok {
				return e.Node, n
			}
		}
	}
	return trace.None, trace.None
}

// mayBelong says of a span that is no member what it has to do with the flow.
func (x *explainer) mayBelong(e trace.OpenEdge) string {
	if x.flow.Contains(e.Node) {
		return ""
	}
	return " and may belong here"
}

func (x *explainer) isConsumed(n trace.Node) bool {
	for m := range x.flow.Followers(n) {
		if s := x.flow.Span(m); s.Kind() == trace.Consumer || s.IsReceive() {
			return true
		}
	}
	return false
}

// stray names a span that may be the missing one, with its context lost.
func (x *explainer) stray(e trace.OpenEdge) string {
	for _, n := range e.Strays {
		what := "a lost context?"
		switch e.Lost {
		case trace.BySender:
			what = fmt.Sprintf("a context that %s did not send?", x.flow.Span(e.Node).Service())
		case trace.ByReceiver:
			what = fmt.Sprintf("a context that %s did not read?", x.flow.Span(n).Service())
		}
		return fmt.Sprintf(" (%s began a trace of its own: %s)", x.name(n), what)
	}
	return ""
}
