package store

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"strconv"

	"github.com/followspan/followspan/trace"
)

func (s *Store) trace(id trace.TraceID) *traceEntry {
	t := s.traces[id]
	if t == nil {
		t = &traceEntry{id: id, first: trace.None, shared: id == s.settings.RunTrace && !id.IsZero()}
		s.traces[id] = t
		for _, d := range s.flows {
			if d.Opens == trace.OpensByTrace && d.Origin == nil {
				t.addWhole(s.open(d, t, s.uniqueID(d, id.String()[:8]), trace.TimeOf(s.settings.Now())))
			}
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
		of: d, w: s.graph.OpenFlow(record), trace: t,
		state:     trace.FlowState{Origin: trace.None, Trigger: trace.None},
		processes: map[*process]bool{}, news: at, place: notScheduled,
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
		case d.Opens == trace.OpensBySpan && d.Origin != nil && d.Origin(span) && !s.underOrigin(d, n):
			s.begin(s.open(d, t, s.uniqueID(d, t.id.String()[:8]), s.graph.View().ReceivedAt(n)), t, n)
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
	return s.open(d, t, s.uniqueID(d, t.id.String()[:8]), s.graph.View().ReceivedAt(n))
}

// keyed is the one instance for a value.
func (s *Store) keyed(d *declaration, t *traceEntry, key string, n trace.Node) *instance {
	if d.byKey[key] == nil {
		in := s.open(d, t, s.uniqueID(d, key), s.graph.View().ReceivedAt(n))
		in.key, d.byKey[key] = key, in
	}
	return d.byKey[key]
}

// begin makes n an origin of an instance and gathers what arrived before it.
func (s *Store) begin(in *instance, t *traceEntry, n trace.Node) {
	s.originAt(in, n)
	if in.of.Opens == trace.OpensBySpan {
		s.origins[n] = append(s.origins[n], in)
		s.seat(t, in)
	}
	if wholeTrace(in.of, t) {
		if !slices.Contains(t.whole, in) {
			t.addWhole(in)
		}
		s.propagate(in, n, trace.ByOrigin, 0)
		for m := range s.graph.View().Trace(n) {
			s.propagate(in, m, trace.ByTrace, 0)
		}
		return
	}
	s.propagate(in, n, trace.ByOrigin, 0)
}

// originAt makes n the origin unless a better one is known: of several that belong
// to one instance it is the first by start, in whatever order they arrive.
func (s *Store) originAt(in *instance, n trace.Node) {
	v, known := s.graph.View(), in.state.Origin
	switch {
	case known == trace.None:
		in.state.Origin = n
	case isAncestor(v, n, known) || !isAncestor(v, known, n) && startsBefore(v.Span(n), v.Span(known)):
		in.state.Origin = n
		s.gatherEarlier(in)
	}
}

// startsBefore orders spans by start, then by identity.
func startsBefore(a, b trace.Span) bool {
	if a.Start() != b.Start() {
		return a.Start() < b.Start()
	}
	ta, tb, ia, ib := a.TraceID(), b.TraceID(), a.ID(), b.ID()
	return cmp.Or(bytes.Compare(ta[:], tb[:]), bytes.Compare(ia[:], ib[:])) < 0
}

func wholeTrace(d *declaration, t *traceEntry) bool {
	switch d.Opens {
	case trace.OpensByTrace:
		return true
	case trace.OpensByKey:
		return d.Scope == trace.ScopeTrace // two keys may well share a trace
	}
	return d.Scope == trace.ScopeTrace || d.Scope == trace.ScopeAuto && !t.shared && len(t.startedOf(d).all) < 2
}

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

// startedBy is the instance of d of which n is the origin, nil if there is none.
func (s *Store) startedBy(d *declaration, n trace.Node) *instance {
	for _, in := range s.origins[n] {
		if in.of == d {
			return in
		}
	}
	return nil
}
