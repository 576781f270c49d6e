package store

import (
	"iter"
	"maps"
	"slices"
	"unsafe"

	"github.com/followspan/followspan/trace"
)

// traceEntry is what the store knows of one trace. There are many: it is small.
type traceEntry struct {
	id      trace.TraceID
	first   trace.Node  // None before a span has arrived
	missing int32       // spans that made room while they were in no flow, or with one
	orphans int32       // those of them above which something had not arrived
	severed uint16      // likewise, of flows that made room; at most all that fits
	buried  bool        // see buryTrace
	roots   uint8       // spans without a parent that have arrived, at most two
	whole   []*instance // every span of the trace is a member
	started *started    // the first of a list
}

// One more byte would take 80 of the allocator's.
var _ [64 - unsafe.Sizeof(traceEntry{})]byte

// started are the instances of one flow that spans of a trace opened. If they are
// several, members are what each origin caused.
type started struct {
	of      *declaration
	all     []*instance
	next    *started
	evicted []*instance // in which spans that come now are not seen
	crowded bool        // whether the trace must be shared is to be looked at
}

// instance is one time that a declared flow happened. There are many: it is small.
type instance struct {
	of    *declaration
	w     trace.FlowWriter
	trace *traceEntry
	key   string // of OpensByKey

	origin, trigger trace.Node // None while there is none
	state           trace.State
	reason          trace.Reason
	handedOut       bool
	dirty           bool // it waits to be handed out
	resting         bool // it is dirty, and on the agenda for that; see rest
	whole           bool // every span of its trace is a member
	released        bool // whoever judged it needs its spans no more
	queuedOut       bool // to be evicted
	evicted         bool
	cut             bool       // it takes too much: its spans may be evicted while it is open
	restless        bool       // it closed before it was silent
	unanswered      bool       // see trace.Remains
	lost            int32      // spans that were evicted
	missedBefore    int32      // what it missed when it was evicted itself
	moves           int32      // see trace.FlowState
	queued          int32      // place among those that wait for the same
	place           int32      // on the agenda
	seat            int32      // among those that were started in its trace
	last            trace.Node // the member that arrived last

	triggerSpan trace.SpanID // zero without a trigger
	ways        *ways        // nil if there is nothing to say
	pending     []trace.Node // members with an edge that was open when last looked at
	edges       []trace.OpenEdge
	processes   []*process
	news        trace.Time // when the last member arrived
	ends        trace.Time // the latest end of a member
	earliest    trace.Time // when the first member started, at the latest, by the receiver's clock
	ended       trace.Time // when it closed
	awaits      *watchers  // what it waits for of a process; nil if nothing
	upto        trace.Time // how far that must be
	due         trace.Time // when time will act on it; see agenda
	rests       trace.Time // until when it is not handed out again
	booked      int64
	remains     *trace.Remains // once it was evicted
}

// spread makes n a member of the flows of its parent, of its links' targets and
// of its message's producers.
func (s *Store) spread(n trace.Node) {
	v := s.graph.View()
	s.noLongerWaits(n)
	if p, ok := v.Parent(n); ok {
		for in := range s.instancesOf(p) {
			s.changed(in)
			if !s.isAboutOthers(v, in, p, n) {
				s.propagate(in, n, trace.ByParent, in.distance(p))
			}
		}
	}
	for cause, rule := range v.Causes(n) {
		for in := range s.instancesOf(cause) {
			s.changed(in)
			s.follow(in, n, rule, in.distance(cause))
		}
	}
}

// noLongerWaits has the flows of n looked at, which may have waited for an edge that n
// got, whoever is at the other end.
func (s *Store) noLongerWaits(n trace.Node) {
	for in := range s.instancesOf(n) {
		s.changed(in)
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
// many producers must not merge their flows. A member that turns out to be nearer
// than was known brings more.
func (s *Store) propagate(in *instance, n trace.Node, rule trace.Rule, d distance) {
	s.reach(in, reached{n: n, rule: rule, d: d})
}

// follow is propagate over one more link or message from where d is, up to the limit.
func (s *Store) follow(in *instance, n trace.Node, rule trace.Rule, d distance) {
	s.reach(in, reached{n: n, rule: rule, d: d, hop: true})
}

// reached is a span that a flow comes to, and from how far.
type reached struct {
	n    trace.Node
	rule trace.Rule
	hop  bool // over one more link or message than d says
	d    distance
}

// keptReached is how much room for those that wait is kept.
const keptReached = 1 << 12

// reach walks by a list of its own and not by recursion: a chain of spans may be
// deeper than any stack.
func (s *Store) reach(in *instance, first reached) {
	waiting := len(s.reached)
	s.reached = append(s.reached, first)
	for len(s.reached) > waiting {
		last := len(s.reached) - 1
		at := s.reached[last]
		s.reached = s.reached[:last]
		if s.isWithin(in, &at) && s.joins(in, at.n, at.rule, at.d) {
			s.reachFrom(in, at.n)
		}
	}
	if waiting == 0 && cap(s.reached) > keptReached {
		s.reached = nil
	}
}

// reachFrom adds what follows from a member, such that its children are next.
func (s *Store) reachFrom(in *instance, n trace.Node) {
	v, d, before := s.graph.View(), in.distance(n), len(s.reached)
	for child := range v.Children(n) {
		if !s.isAboutOthers(v, in, n, child) {
			s.reached = append(s.reached, reached{n: child, rule: trace.ByParent, d: d})
		}
	}
	for effect, rule := range v.Effects(n) {
		s.reached = append(s.reached, reached{n: effect, rule: rule, d: d, hop: true})
	}
	slices.Reverse(s.reached[before:])
}

// isWithin takes the hop to a span, and reports false if that is too far.
func (s *Store) isWithin(in *instance, at *reached) bool {
	if !at.hop || in.of.Opens == trace.OpensBySession || at.d.hop(in.of.Hops) {
		return true
	}
	if in.w.JoinedBy(at.n) == trace.NoRule && in.state != trace.Retracted && !in.evicted {
		s.goesBeyond(in, at.n)
	}
	return false
}

// joins makes n a member, or brings it nearer, and reports whether it did either.
func (s *Store) joins(in *instance, n trace.Node, rule trace.Rule, d distance) bool {
	v := s.graph.View()
	if in.of.Opens != trace.OpensByTrigger && s.own[idOf(v.Span(n))] {
		return false // A trigger's span belongs to nothing but what it triggered.
	}
	if in.evicted {
		s.comesLate(in)
		return false
	}
	if in.of.Scope == trace.ScopeValue && rule != trace.ByOrigin || in.state == trace.Retracted {
		return false
	}
	switch {
	case rule == trace.ByOrigin:
		d = distance{}
	case in.of.Opens == trace.OpensBySession:
		rule, d = trace.BySession, distance{}
	case in.hasWhole(v.Span(n).TraceID()):
		rule, d = trace.ByTrace, distance{} // whichever edge came first
	}
	return s.welcome(in, n, rule, d)
}

// hasWhole reports whether every span of the trace is a member.
func (in *instance) hasWhole(id trace.TraceID) bool {
	return in.whole && in.trace.id == id
}

// welcome is joins for a span that nothing keeps out.
func (s *Store) welcome(in *instance, n trace.Node, rule trace.Rule, d distance) bool {
	first := !s.graph.View().InFlow(n)
	if !in.w.Join(n, rule) {
		return s.nearer(in, n, d)
	}
	if first {
		s.process(s.graph.View().Span(n)).unjoined--
	}
	s.setDistance(in, n, d)
	s.enrol(in, n)
	if !d.byKey {
		s.correlate(in, n)
	}
	return true
}

// enrol books what a new member means for its flow.
func (s *Store) enrol(in *instance, n trace.Node) {
	v := s.graph.View()
	span := v.Span(n)
	if in.of.Opens == trace.OpensByTrigger || in.of.Opens == trace.OpensBySession {
		s.selectedOrigin(in, n, span)
	}
	s.noStray(s.process(span), n)
	if in.of.Opens != trace.OpensBySession {
		s.takesPart(in, span, in.distance(n))
	}
	in.released = false
	in.last = max(in.last, n)
	in.ends = max(in.ends, span.End())
	s.countDropped(in, span)
	if s.differing[n] {
		s.drop(in, differingVersions, 1)
	}
	in.news = max(in.news, v.ReceivedAt(n))
	if began := v.ReceivedAt(n).Add(-max(0, span.End().Sub(span.Start()))); in.earliest == 0 || began < in.earliest {
		in.earliest = began
	}
	before := cap(in.pending)
	in.pending = append(in.pending, n)
	s.book(in, int64(cap(in.pending)-before)*nodeBytes)
	s.changed(in)
}

// takesPart books whose spans and of which traces an instance has. A session has all.
func (s *Store) takesPart(in *instance, span trace.Span, d distance) {
	if p := s.process(span); !slices.Contains(in.processes, p) {
		in.processes = append(in.processes, p)
	}
	id := span.TraceID()
	if id == in.w.Record().TraceID {
		return
	}
	w := s.waysOf(in)
	if w.others == nil {
		w.others = map[trace.TraceID]part{}
	}
	p, known := w.others[id]
	if !known {
		s.book(in, otherBytes)
	}
	w.others[id] = part{p.entered || !d.byKey, p.root || span.ParentID().IsZero()}
}

// parties yields the processes that take part in an instance.
func (s *Store) parties(in *instance) iter.Seq[*process] {
	if in.of.Opens == trace.OpensBySession {
		return maps.Values(s.processes)
	}
	return slices.Values(in.processes)
}

// book accounts for what an instance takes besides what every instance takes.
func (s *Store) book(in *instance, bytes int64) {
	in.booked += bytes
	s.booked += bytes
}

// selectedOrigin recognises followspan's own span, and those that the flow's origin
// selects among the members of an instance that did not open it.
func (s *Store) selectedOrigin(in *instance, n trace.Node, span trace.Span) {
	if span.ID() == in.triggerSpan && span.TraceID() == in.w.Record().TraceID {
		in.trigger = n
		if in.of.Origin == nil {
			in.origin = n
			s.gatherEarlier(in)
		}
		return
	}
	if in.of.Origin != nil && in.of.Origin(span) {
		s.originAt(in, n)
	}
}

func (s *Store) changed(in *instance) {
	if in.state == trace.Complete {
		in.state, in.reason = trace.Open, trace.NotClosed
	}
	s.markDirty(in)
}

func (s *Store) markDirty(in *instance) {
	if !in.dirty {
		in.dirty = true
		s.dirty.push(in)
	}
}
