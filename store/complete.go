package store

import (
	"slices"
	"strconv"
	"time"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/followspan/followspan/trace"
)

// advance lets time act on an instance: it becomes complete after a silence
// without open edges, and closes at its deadline. It returns how long nothing
// more will happen by itself.
func (s *Store) advance(in *instance, now trace.Time) time.Duration {
	if in.state.State == trace.Closed || in.state.State == trace.Retracted {
		return idle
	}
	s.findEdges(in)
	left := in.w.Record().Started.Add(in.of.Timing.Deadline).Sub(now)
	if in.of.Opens == trace.OpensBySession {
		left = idle // Only the end of the run closes it.
	}
	if left <= 0 {
		s.close(in, trace.ByDeadline)
		return idle
	}
	if len(in.state.Edges) > 0 || in.state.State == trace.Complete {
		return left
	}
	quiet := in.news.Add(s.quiet(in)).Sub(now)
	if quiet > 0 {
		return min(left, quiet)
	}
	in.state.State = trace.Complete
	s.markDirty(in)
	return left
}

func (s *Store) close(in *instance, why trace.Reason) {
	s.findEdges(in)
	in.state.State, in.state.Reason = trace.Closed, why
	s.live = slices.DeleteFunc(s.live, func(other *instance) bool { return other == in })
	s.markDirty(in)
}

func (s *Store) freeze(in *instance, now trace.Time) trace.Flow {
	state := in.state
	state.Now = now
	state.Losses = s.losses(in)
	return in.w.Freeze(state)
}

// findEdges looks again at the members that had an open edge. What it hands to a
// frozen flow is a new slice each time that it changed.
func (s *Store) findEdges(in *instance) {
	var edges []trace.OpenEdge
	if in.waitsForOrigin() {
		edges = append(edges, trace.OpenEdge{Kind: trace.WaitsForOrigin, Node: trace.None})
	}
	v := s.graph.View()
	in.pending = slices.DeleteFunc(in.pending, func(n trace.Node) bool {
		kind, state := s.edge(v, in, n)
		if state == edgeOpen {
			edges = append(edges, trace.OpenEdge{Kind: kind, Node: n, Missing: missing(v, kind, n)})
		}
		return state == edgeNever
	})
	in.state.Edges = edges
}

func (in *instance) waitsForOrigin() bool {
	switch in.of.Opens {
	case trace.OpensByTrigger:
		return in.state.Trigger == trace.None || in.state.Origin == trace.None
	case trace.OpensBySpan, trace.OpensByKey:
		return in.state.Origin == trace.None
	}
	return false
}

func missing(v trace.View, kind trace.OpenKind, n trace.Node) trace.SpanID {
	if kind == trace.WaitsForParent {
		return v.Span(n).ParentID()
	}
	return trace.SpanID{}
}

// edgeState says whether a span hints at another one.
type edgeState uint8

const (
	edgeNever  edgeState = iota // it has none, or what it named has arrived
	edgeClosed                  // none now; what is learned of its peer may open one
	edgeOpen
)

// edge says what n waits for, if for anything.
func (s *Store) edge(v trace.View, in *instance, n trace.Node) (trace.OpenKind, edgeState) {
	span := v.Span(n)
	if _, arrived := v.Parent(n); !arrived && !span.ParentID().IsZero() && !s.external(v, in, n, span) {
		return trace.WaitsForParent, edgeOpen
	}
	switch span.Kind() {
	case trace.Client:
		return trace.WaitsForServer, s.clientEdge(v, n, span)
	case trace.Producer:
		return trace.WaitsForConsumer, s.producerEdge(v, n, span)
	}
	return trace.WaitsForParent, edgeNever
}

// external reports whether the missing parent of n lies outside of what
// followspan can receive: above the origin, at its own trigger or the command's
// context, or above the span by which a linked trace was entered from elsewhere.
func (s *Store) external(v trace.View, in *instance, n trace.Node, span trace.Span) bool {
	if n == in.state.Origin || span.ParentID() == in.triggerSpan {
		return true
	}
	if span.TraceID() == s.settings.RunTrace && span.ParentID() == s.settings.RunSpan {
		return true
	}
	entry := span.Kind() == trace.Server || span.Kind() == trace.Consumer
	if !entry {
		return false
	}
	if in.state.Origin == trace.None {
		return in.of.Opens != trace.OpensByTrigger && span.TraceID() == in.w.Record().TraceID
	}
	return v.Span(in.state.Origin).TraceID() != span.TraceID() && in.w.Record().TraceID != span.TraceID() ||
		isAbove(v, n, in.state.Origin)
}

func isAbove(v trace.View, n, origin trace.Node) bool { return n != origin && isAncestor(v, n, origin) }

func (s *Store) clientEdge(v trace.View, n trace.Node, span trace.Span) edgeState {
	if span.Status() == trace.Error {
		return edgeNever
	}
	if _, database := span.Attr(string(semconv.DBSystemNameKey)); database {
		return edgeNever
	}
	for child := range v.Children(n) {
		if v.Span(child).Kind() == trace.Server {
			return edgeNever
		}
	}
	if s.peers.instrumented(span) {
		return edgeOpen
	}
	return edgeClosed
}

func (s *Store) producerEdge(v trace.View, n trace.Node, span trace.Span) edgeState {
	consumes := func(m trace.Node) bool { return v.Span(m).Kind() == trace.Consumer }
	for child := range v.Children(n) {
		if consumes(child) {
			return edgeNever
		}
	}
	for effect := range v.Effects(n) {
		if consumes(effect) {
			return edgeNever
		}
	}
	if s.peers.consumed[topicOf(span)] {
		return edgeOpen
	}
	return edgeClosed
}

// peers is what was learned about who is instrumented: addresses that a server
// span answered at, services that sent spans, destinations that were consumed.
type peers struct {
	addresses map[string]bool
	services  map[string]bool
	rpc       map[string]bool
	consumed  map[topic]bool
}

type topic struct{ system, destination string }

func topicOf(s trace.Span) topic {
	return topic{text(s, string(semconv.MessagingSystemKey)), destination(s)}
}

func newPeers() peers {
	return peers{map[string]bool{}, map[string]bool{}, map[string]bool{}, map[topic]bool{}}
}

func (p *peers) learn(v trace.View, n trace.Node) {
	span := v.Span(n)
	p.services[span.Service()] = true
	switch span.Kind() {
	case trace.Server:
		if name := text(span, rpcService); name != "" {
			p.rpc[name] = true
		}
		if client, ok := v.Parent(n); ok && v.Span(client).Kind() == trace.Client {
			p.addresses[address(v.Span(client))] = true
		}
	case trace.Client:
		for child := range v.Children(n) {
			if v.Span(child).Kind() == trace.Server {
				p.addresses[address(span)] = true
			}
		}
	case trace.Consumer:
		p.consumed[topicOf(span)] = true
	}
}

// rpcService is the attribute of the gRPC service's name, which newer conventions
// fold into rpc.method.
const rpcService = "rpc.service"

func (p *peers) instrumented(client trace.Span) bool {
	if a := address(client); a != "" && p.addresses[a] {
		return true
	}
	if name := text(client, rpcService); name != "" && p.rpc[name] {
		return true
	}
	peer := text(client, "peer.service")
	return peer != "" && p.services[peer]
}

// address is where a client called, "" if it does not say.
func address(client trace.Span) string {
	host := text(client, string(semconv.ServerAddressKey))
	if host == "" {
		return ""
	}
	return host + ":" + text(client, string(semconv.ServerPortKey))
}

// lag is how late a service instance exports: receive time less the span's end.
type lag struct {
	most    time.Duration
	unknown bool // the clocks disagree, so it cannot be told
}

// An export lag outside of these bounds says more about clocks than about lag.
const (
	leastLag = -time.Millisecond
	mostLag  = time.Minute
)

// graceUnknown is how much longer a silence must be where an instance's export
// lag is unknown: SDKs batch for 5 s unless told otherwise.
const graceUnknown = 5 * time.Second

func (s *Store) observeLag(span trace.Span, at trace.Time) {
	key := processOf(span)
	l, d := s.lags[key], at.Sub(span.End())
	if d < leastLag || d > mostLag {
		l.unknown = true
	} else {
		l.most = max(l.most, d)
	}
	s.lags[key] = l
}

// quiet is how long nothing must have come before an instance without open edges
// counts as complete: twice the longest export lag of those who took part.
func (s *Store) quiet(in *instance) time.Duration {
	longest, grace := time.Duration(0), time.Duration(0)
	for p := range in.processes {
		l := s.lags[p]
		longest = max(longest, l.most)
		if l.unknown {
			grace = graceUnknown
		}
	}
	return max(in.of.Timing.Quiet, 2*longest) + grace
}

func processOf(s trace.Span) string {
	if p := s.Resource().Process(); p != "" {
		return p
	}
	return s.Service()
}

func itoa(n int) string { return strconv.Itoa(n) }
