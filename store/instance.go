package store

import (
	"slices"
	"strconv"

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
	processes   map[string]bool
	dropped     map[string]int // by what the SDKs dropped
	news        trace.Time     // when the last member arrived
	dirty       bool
	handedOut   bool
}

func (s *Store) trace(id trace.TraceID) *traceEntry {
	t := s.traces[id]
	if t == nil {
		t = &traceEntry{id: id, first: trace.None, shared: id == s.settings.RunTrace && !id.IsZero(), split: map[*declaration]bool{}}
		s.traces[id] = t
		for _, d := range s.flows {
			if d.Opens == trace.OpensByTrace {
				in := s.open(d, t, s.uniqueID(d, id.String()[:8]), trace.TimeOf(s.settings.Now()))
				t.whole = append(t.whole, in)
			}
		}
	}
	return t
}

// open starts an instance. One that a trigger opened owns its whole trace.
func (s *Store) open(d *declaration, t *traceEntry, id string, at trace.Time) *instance {
	record := trace.FlowRecord{ID: id, Declaration: d.Flow, Started: at, Triggered: d.Opens == trace.OpensByTrigger}
	if t != nil {
		record.TraceID = t.id
	}
	in := &instance{
		of: d, w: s.graph.OpenFlow(record), trace: t,
		state: trace.FlowState{Origin: trace.None, Trigger: trace.None},
		hops:  map[trace.Node]int{}, processes: map[string]bool{}, dropped: map[string]int{}, news: at,
	}
	if d.Opens == trace.OpensByTrigger {
		t.whole = append(t.whole, in)
	}
	s.live = append(s.live, in)
	s.stats.Instances++
	return in
}

// uniqueID appends a number where several instances of a flow start in one trace.
func (s *Store) uniqueID(d *declaration, id string) string {
	d.ids[id]++
	if n := d.ids[id]; n > 1 {
		return id + "-" + strconv.Itoa(n)
	}
	return id
}

// place makes a new span a member of every flow that it belongs to, and opens
// those that it starts.
func (s *Store) place(t *traceEntry, n trace.Node) {
	if t.first == trace.None {
		t.first = n
	}
	for _, in := range t.whole {
		s.propagate(in, n, trace.ByTrace, 0)
	}
	s.spread(n)
	span := s.graph.View().Span(n)
	if s.own[idOf(span)] {
		return
	}
	s.offer(n, span)
	for _, d := range s.flows {
		switch {
		case d.Opens == trace.OpensBySession:
			s.propagate(s.session(d), n, trace.BySession, 0)
		case d.Opens == trace.OpensBySpan && d.Origin != nil && d.Origin(span) && !s.underOrigin(t, d, n):
			s.begin(s.open(d, t, s.uniqueID(d, t.id.String()[:8]), s.graph.View().ReceivedAt(n)), t, n)
		case d.Opens == trace.OpensByKey && d.Origin(span):
			if key, ok := d.Per(span); ok {
				s.begin(s.keyed(d, t, key, n), t, n)
			}
		}
	}
}

func (s *Store) session(d *declaration) *instance {
	for _, in := range s.live {
		if in.of == d {
			return in
		}
	}
	return s.open(d, nil, s.uniqueID(d, "session"), trace.TimeOf(s.settings.Now()))
}

func (s *Store) keyed(d *declaration, t *traceEntry, key string, n trace.Node) *instance {
	for _, in := range s.live {
		if in.of == d && in.key == key {
			return in
		}
	}
	in := s.open(d, t, s.uniqueID(d, key), s.graph.View().ReceivedAt(n))
	in.key = key
	return in
}

// begin makes n the origin of an instance and gathers what arrived before it.
func (s *Store) begin(in *instance, t *traceEntry, n trace.Node) {
	if in.state.Origin == trace.None {
		in.state.Origin = n
	}
	if !slices.Contains(t.started, in) {
		t.started = append(t.started, in)
	}
	if wholeTrace(in.of, t) {
		if !slices.Contains(t.whole, in) {
			t.whole = append(t.whole, in)
		}
		s.propagate(in, n, trace.ByOrigin, 0)
		for m := range s.graph.View().Trace(n) {
			s.propagate(in, m, trace.ByTrace, 0)
		}
		return
	}
	s.propagate(in, n, trace.ByOrigin, 0)
}

func wholeTrace(d *declaration, t *traceEntry) bool {
	if d.Opens == trace.OpensByKey {
		return d.Scope == trace.ScopeTrace // two keys may well share a trace
	}
	return d.Scope == trace.ScopeTrace || d.Scope == trace.ScopeAuto && !t.shared && !t.split[d]
}

// underOrigin reports whether a span above n started an instance of d already.
func (s *Store) underOrigin(t *traceEntry, d *declaration, n trace.Node) bool {
	v := s.graph.View()
	return slices.ContainsFunc(t.started, func(in *instance) bool {
		return in.of == d && in.state.Origin != n && isAncestor(v, in.state.Origin, n)
	})
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
	in.processes[processOf(span)] = true
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
		in.state.State = trace.Open
	}
	s.markDirty(in)
}

func (s *Store) markDirty(in *instance) {
	if !in.dirty {
		in.dirty = true
		s.dirty = append(s.dirty, in)
	}
}

// retractNested undoes instances whose origin turned out to lie under another
// one of the same flow, and parts a trace that several origins share.
func (s *Store) retractNested(t *traceEntry) {
	if len(t.started) < 2 {
		return
	}
	count := map[*declaration]int{}
	for _, in := range slices.Clone(t.started) {
		if in.of.Opens == trace.OpensBySpan && s.underOrigin(t, in.of, in.state.Origin) {
			s.retract(t, in)
		} else {
			count[in.of]++
		}
	}
	for _, in := range slices.Clone(t.started) {
		if count[in.of] > 1 && in.of.Opens == trace.OpensBySpan && wholeTrace(in.of, t) && in.of.Scope == trace.ScopeAuto {
			s.part(t, in.of)
		}
	}
}

// part founds the instances of a flow anew, each with what its origin caused.
func (s *Store) part(t *traceEntry, d *declaration) {
	t.split[d] = true
	for _, in := range slices.Clone(t.started) {
		if in.of == d {
			s.refound(in)
		}
	}
}

// refound retracts an instance and opens it anew, since members cannot leave.
func (s *Store) refound(in *instance) {
	t := in.trace
	s.retract(t, in)
	again := s.open(in.of, t, in.w.Record().ID, in.w.Record().Started)
	again.key, again.triggerSpan = in.key, in.triggerSpan
	if in.of.Opens != trace.OpensByTrigger {
		s.begin(again, t, in.state.Origin)
		return
	}
	if t.first == trace.None {
		return
	}
	for n := range s.graph.View().Trace(t.first) {
		s.propagate(again, n, trace.ByTrace, 0)
	}
}

func (s *Store) retract(t *traceEntry, in *instance) {
	in.state.State = trace.Retracted
	s.forget(in)
	remove := func(list []*instance) []*instance {
		return slices.DeleteFunc(list, func(other *instance) bool { return other == in })
	}
	t.started, t.whole, s.live = remove(t.started), remove(t.whole), remove(s.live)
	s.stats.Instances--
	s.dirty, in.dirty = remove(s.dirty), false
	if in.handedOut {
		s.markDirty(in)
	}
}
