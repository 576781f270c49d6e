package store

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/followspan/followspan/trace"
)

func (s *Store) trace(id trace.TraceID) *traceEntry {
	if t := s.lastTrace; t != nil && t.id == id {
		return t
	}
	t := s.traces[id]
	if t == nil {
		t = s.newTrace(id)
	}
	s.lastTrace = t
	return t
}

func (s *Store) newTrace(id trace.TraceID) *traceEntry {
	t := &traceEntry{id: id, first: trace.None}
	s.traces[id] = t
	s.misses(t)
	s.newTraces++
	for _, d := range s.flows {
		if d.Opens == trace.OpensByTrace && d.Origin == nil {
			in := s.open(d, t, s.uniqueID(d, id.Short()), trace.TimeOf(s.settings.Now()))
			t.addWhole(in)
			s.followLinks(in)
		}
	}
	return t
}

// open starts an instance. One that a trigger opened owns its whole trace.
func (s *Store) open(d *declaration, t *traceEntry, id string, at trace.Time) *instance {
	record := trace.FlowRecord{ID: id, Declaration: d.Flow, Started: at, Triggered: d.Opens == trace.OpensByTrigger,
		HasOrigin: d.Opens != trace.OpensByTrace && d.Opens != trace.OpensBySession}
	if t != nil {
		record.TraceID = t.id
	}
	in := &instance{
		of: d, w: *s.graph.OpenFlow(record), trace: t, origin: trace.None, trigger: trace.None,
		news: at, place: notScheduled,
	}
	if d.Opens == trace.OpensByTrigger {
		t.addWhole(in)
	}
	s.instances[in.w.Record().Number()] = in
	s.agenda.schedule(in, in.deadline())
	s.stats.Instances++
	return in
}

// addWhole makes every later span of the trace a member.
func (t *traceEntry) addWhole(in *instance) {
	t.whole = append(t.whole, in)
	in.whole = in.whole || in.trace == t
}

// deadline is when the instance closes at the latest.
func (in *instance) deadline() trace.Time {
	if in.of.Opens == trace.OpensBySession {
		return math.MaxUint64 // Only the end of the run closes it.
	}
	return in.w.Record().Started.Add(in.of.Timing.Deadline)
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
	span := s.graph.View().Span(n)
	if span.ParentID().IsZero() {
		t.roots = min(t.roots+1, 2)
	}
	for _, in := range t.whole {
		s.propagate(in, n, trace.ByTrace, distance{})
	}
	s.spread(n)
	s.linksInto(n, span)
	if s.own[idOf(span)] {
		return
	}
	s.offer(n, span)
	for _, d := range s.flows {
		switch {
		case d.Opens == trace.OpensBySession:
			s.propagate(s.session(d), n, trace.BySession, distance{})
		case d.Opens == trace.OpensBySpan && d.Origin != nil && d.Origin(span) && !s.underOrigin(d, n) && !t.wasTaken(d):
			s.begin(s.open(d, t, s.uniqueID(d, t.id.Short()), s.graph.View().ReceivedAt(n)), t, n)
		case d.Opens == trace.OpensByTrace && d.Origin != nil && d.Origin(span):
			s.begin(s.ofTrace(d, t, n), t, n)
		case d.Opens == trace.OpensByKey && d.Origin(span):
			if key, ok := d.Per(span); ok {
				s.begin(s.keyed(d, t, key, n), t, n)
			}
		}
	}
}

// session is the one instance of a flow to which everything belongs.
func (s *Store) session(d *declaration) *instance {
	if d.byKey[""] == nil {
		d.byKey[""] = s.open(d, nil, s.uniqueID(d, "session"), trace.TimeOf(s.settings.Now()))
	}
	return d.byKey[""]
}

// ofTrace is the one instance for a trace in which there is an origin.
func (s *Store) ofTrace(d *declaration, t *traceEntry, n trace.Node) *instance {
	for _, in := range t.whole {
		if in.of == d {
			return in
		}
	}
	return s.open(d, t, s.uniqueID(d, t.id.Short()), s.graph.View().ReceivedAt(n))
}

// keyed is the one instance for a value.
func (s *Store) keyed(d *declaration, t *traceEntry, key string, n trace.Node) *instance {
	if d.byKey[key] == nil {
		key = strings.Clone(key) // It may lie in a block of spans.
		in := s.open(d, t, s.uniqueID(d, key), s.graph.View().ReceivedAt(n))
		in.key, d.byKey[key] = key, in
	}
	return d.byKey[key]
}

// begin makes n an origin of an instance and gathers what arrived before it.
func (s *Store) begin(in *instance, t *traceEntry, n trace.Node) {
	if in.evicted {
		if in.of.Opens == trace.OpensByKey {
			s.comesLate(in)
		}
		return
	}
	s.originAt(in, n)
	if in.of.Opens == trace.OpensBySpan {
		s.seat(t, in)
	}
	if s.wholeTrace(in.of, t) {
		if !slices.Contains(t.whole, in) {
			t.addWhole(in)
		}
		s.propagate(in, n, trace.ByOrigin, distance{})
		for m := range s.graph.View().Trace(n) {
			s.propagate(in, m, trace.ByTrace, distance{})
		}
		s.followLinks(in)
		return
	}
	s.propagate(in, n, trace.ByOrigin, distance{})
}

// originAt makes n the origin unless a better one is known.
func (s *Store) originAt(in *instance, n trace.Node) {
	v, known := s.graph.View(), in.origin
	if known != trace.None && known != n {
		w := s.waysOf(in)
		if len(w.origins) == 0 {
			w.origins = append(w.origins, known)
		}
		w.origins = append(w.origins, n)
		s.book(in, nodeBytes)
	}
	switch {
	case known == trace.None:
		in.origin = n
	case isAncestor(v, n, known) || !isAncestor(v, known, n) && v.Span(n).Compare(v.Span(known)) < 0:
		in.origin = n
		s.gatherEarlier(in)
	}
}

// settleOrigin chooses among several origins of one instance the first by start of
// those that are below no other, whatever was known when they arrived. It reports
// whether the instance gained members by that.
func (s *Store) settleOrigin(in *instance) bool {
	if in.ways == nil || len(in.ways.origins) == 0 {
		return false
	}
	members, origins := in.w.Len(), in.ways.origins
	v, best := s.graph.View(), trace.None
	all := make(map[trace.Node]bool, len(origins))
	for _, n := range origins {
		all[n] = true
	}
	for _, n := range origins {
		if v.Evicted(n) || best != trace.None && v.Span(n).Compare(v.Span(best)) > 0 {
			continue
		}
		if p, ok := v.Parent(n); !ok || !isBelow(v, all, p) {
			best = n
		}
	}
	if best != trace.None && best != in.origin {
		in.origin = best
		s.gatherEarlier(in)
	}
	return in.w.Len() > members
}

// isBelow reports whether n or a span above it is one of those.
func isBelow(v trace.View, those map[trace.Node]bool, n trace.Node) bool {
	for ok := true; ok; n, ok = v.Parent(n) {
		if those[n] {
			return true
		}
	}
	return false
}

func (s *Store) wholeTrace(d *declaration, t *traceEntry) bool {
	switch d.Opens {
	case trace.OpensByTrace:
		return true
	case trace.OpensByKey:
		return d.Scope == trace.ScopeTrace // two keys may well share a trace
	}
	return d.Scope == trace.ScopeTrace || d.Scope == trace.ScopeAuto && !s.isShared(t) && t.startedOf(d).count() < 2
}

// isShared reports whether a trace is the run's own: members are what each origin caused.
func (s *Store) isShared(t *traceEntry) bool { return t.id == s.settings.RunTrace && !t.id.IsZero() }

// underOrigin reports whether a span above n started an instance of d already.
func (s *Store) underOrigin(d *declaration, n trace.Node) bool {
	v := s.graph.View()
	for p, ok := v.Parent(n); ok; p, ok = v.Parent(p) {
		if s.startedBy(d, p) != nil {
			return true
		}
	}
	return false
}

// startedBy is the instance of d, whose instances spans open, that n opened; nil if
// there is none.
func (s *Store) startedBy(d *declaration, n trace.Node) *instance {
	for in := range s.instancesOf(n) {
		if in.of == d && in.origin == n {
			return in
		}
	}
	return nil
}
