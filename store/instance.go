package store

import (
	"slices"

	"github.com/followspan/followspan/trace"
)

// traceEntry is what the store knows of one trace.
type traceEntry struct {
	id      trace.TraceID
	first   trace.Node            // None before a span has arrived
	whole   []*instance           // every span of the trace is a member
	started []*instance           // opened by a span of the trace
	shared  bool                  // the run's own trace: members are what each origin caused
	split   map[*declaration]bool // likewise, for a flow with several origins in the trace
}

// instance is one time that a declared flow happened.
type instance struct {
	of    *declaration
	w     *trace.FlowWriter
	trace *traceEntry
	state trace.FlowState
	key   string // of OpensByKey

	triggerSpan trace.SpanID // zero without a trigger
	hops        map[trace.Node]int
	pending     []trace.Node // members with an edge that was open when last looked at
	processes   map[*process]bool
	dropped     map[string]int // by what the SDKs dropped
	news        trace.Time     // when the last member arrived
	ends        trace.Time     // the latest end of a member
	dirty       bool
	handedOut   bool
}

// spread makes n a member of the flows of its parent, of its links' targets and
// of its message's producers.
func (s *Store) spread(n trace.Node) {
	v := s.graph.View()
	if p, ok := v.Parent(n); ok {
		for _, in := range s.instancesOf(v, p) {
			s.changed(in)
			s.propagate(in, n, trace.ByParent, in.hops[p])
		}
	}
	for cause, rule := range v.Causes(n) {
		for _, in := range s.instancesOf(v, cause) {
			s.changed(in)
			s.follow(in, n, rule, in.hops[cause]+1)
		}
	}
}

// instancesOf returns the instances that n is a member of.
func (s *Store) instancesOf(v trace.View, n trace.Node) []*instance {
	return append(slices.Clone(s.stray[n]), s.traces[v.Span(n).TraceID()].whole...)
}

// propagate makes n a member, and all that follows from it: its descendants, and
// what links to them, hop by hop. Never backwards: a batch consumer that links to
// many producers must not merge their flows.
func (s *Store) propagate(in *instance, n trace.Node, rule trace.Rule, hop int) {
	v := s.graph.View()
	if in.of.Opens != trace.OpensByTrigger && s.own[idOf(v.Span(n))] {
		return // A trigger's span belongs to nothing but what it triggered.
	}
	if in.of.Scope == trace.ScopeValue && rule != trace.ByOrigin {
		return
	}
	byTrace := in.hasWhole(v.Span(n).TraceID())
	if byTrace && rule != trace.ByOrigin {
		rule = trace.ByTrace // whichever edge came first
	}
	if in.state.State == trace.Retracted || !in.w.Join(n, rule) {
		return
	}
	if !byTrace {
		s.stray[n] = append(s.stray[n], in)
	}
	s.welcome(in, n, hop)
	for child := range v.Children(n) {
		s.propagate(in, child, trace.ByParent, hop)
	}
	for effect, rule := range v.Effects(n) {
		s.follow(in, effect, rule, hop+1)
	}
}

// hasWhole reports whether every span of the trace is a member.
func (in *instance) hasWhole(id trace.TraceID) bool {
	return in.trace != nil && in.trace.id == id && slices.Contains(in.trace.whole, in)
}

// follow is propagate over one more link or message, up to the limit.
func (s *Store) follow(in *instance, n trace.Node, rule trace.Rule, hop int) {
	if hop > in.of.Hops {
		in.state.Cut++
		return
	}
	s.propagate(in, n, rule, hop)
}

// welcome books what a new member means for its flow.
func (s *Store) welcome(in *instance, n trace.Node, hop int) {
	v := s.graph.View()
	span := v.Span(n)
	if hop > 0 {
		in.hops[n] = hop
	}
	if in.of.Opens == trace.OpensByTrigger {
		s.triggeredOrigin(in, n, span)
	}
	in.processes[s.process(span)] = true
	in.ends = max(in.ends, span.End())
	in.countDropped(span)
	in.news = max(in.news, v.ReceivedAt(n))
	in.pending = append(in.pending, n)
	s.changed(in)
	s.correlate(in, n, span)
}

// triggeredOrigin recognises followspan's own span, and the first span that the
// flow's origin selects.
func (s *Store) triggeredOrigin(in *instance, n trace.Node, span trace.Span) {
	if span.ID() == in.triggerSpan && span.TraceID() == in.w.Record().TraceID {
		in.state.Trigger = n
		if in.of.Origin == nil {
			in.state.Origin = n
		}
		return
	}
	if in.of.Origin == nil || !in.of.Origin(span) {
		return
	}
	if in.state.Origin == trace.None || isAncestor(s.graph.View(), n, in.state.Origin) {
		in.state.Origin = n
	}
}

func (s *Store) changed(in *instance) {
	if in.state.State == trace.Complete {
		in.state.State, in.state.Reason = trace.Open, trace.NotClosed
	}
	s.markDirty(in)
}

func (s *Store) markDirty(in *instance) {
	if !in.dirty {
		in.dirty = true
		s.dirty = append(s.dirty, in)
	}
}
