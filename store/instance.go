package store

import (
	"iter"

	"github.com/followspan/followspan/trace"
)

// traceEntry is what the store knows of one trace.
type traceEntry struct {
	id      trace.TraceID
	first   trace.Node  // None before a span has arrived
	whole   []*instance // every span of the trace is a member
	shared  bool        // the run's own trace: members are what each origin caused
	started []*started
}

// started are the instances of one flow that spans of a trace opened. If they are
// several, members are what each origin caused.
type started struct {
	of      *declaration
	all     []*instance
	crowded bool // whether the trace must be shared is to be looked at
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
	awaits      *watchers      // what it waits for of a process; nil if nothing
	upto        trace.Time     // how far that must be
	queued      int            // among those that wait for it
	due         trace.Time     // when time will act on it; see agenda
	place       int            // on the agenda
	seat        int            // among those that were started in its trace
	dirty       bool           // it waits to be handed out
	earliest    trace.Time     // when the first member arrived
	ended       trace.Time     // when it closed
	handedOut   bool
	whole       bool // every span of its trace is a member
	gathered    bool // spans by a correlation key
}

// spread makes n a member of the flows of its parent, of its links' targets and
// of its message's producers.
func (s *Store) spread(n trace.Node) {
	v := s.graph.View()
	for in := range s.instancesOf(n) {
		s.changed(in) // It may have waited for the edge, whoever is at the other end.
	}
	if p, ok := v.Parent(n); ok {
		for in := range s.instancesOf(p) {
			s.changed(in)
			s.propagate(in, n, trace.ByParent, in.hops[p])
		}
	}
	for cause, rule := range v.Causes(n) {
		for in := range s.instancesOf(cause) {
			s.changed(in)
			s.follow(in, n, rule, in.hops[cause]+1)
		}
	}
}

// instancesOf yields the instances that n is a member of.
func (s *Store) instancesOf(n trace.Node) iter.Seq[*instance] {
	return func(yield func(*instance) bool) { s.eachInstance(n, yield) }
}

func (s *Store) eachInstance(n trace.Node, yield func(*instance) bool) {
	for number := range s.graph.Flows(n) {
		if in := s.instances[number]; in != nil && !yield(in) {
			return
		}
	}
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
	return in.whole && in.trace.id == id
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
		if in.hops == nil {
			in.hops = map[trace.Node]int{}
		}
		in.hops[n] = hop
	}
	if in.of.Opens == trace.OpensByTrigger || in.of.Opens == trace.OpensBySession {
		s.selectedOrigin(in, n, span)
	}
	p := s.process(span)
	in.processes[p] = true
	s.noStray(p, n)
	in.ends = max(in.ends, span.End())
	in.countDropped(span)
	in.news = max(in.news, v.ReceivedAt(n))
	if in.earliest == 0 || v.ReceivedAt(n) < in.earliest {
		in.earliest = v.ReceivedAt(n)
	}
	in.pending = append(in.pending, n)
	s.changed(in)
	s.correlate(in, n, span)
}

// selectedOrigin recognises followspan's own span, and those that the flow's origin
// selects among the members of an instance that did not open it.
func (s *Store) selectedOrigin(in *instance, n trace.Node, span trace.Span) {
	if span.ID() == in.triggerSpan && span.TraceID() == in.w.Record().TraceID {
		in.state.Trigger = n
		if in.of.Origin == nil {
			in.state.Origin = n
		}
		return
	}
	if in.of.Origin != nil && in.of.Origin(span) {
		s.originAt(in, n)
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
		s.dirty.push(in)
	}
}
