package store_test

import (
	"context"
	"encoding/binary"
	"maps"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/store/storetest"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

// Only what changes is looked at: how many flows time acts on depends on what arrives,
// not on how many are open.
func TestOpenFlowsCostNothingWhileNothingHappens(t *testing.T) {
	const turns = 400
	looks := func(open int, shared bool) int {
		l := newLoad(t, open, shared)
		before := store.Looks(l.store)
		for range turns {
			l.turn()
		}
		return store.Looks(l.store) - before
	}
	for _, shared := range []bool{false, true} {
		few, many := looks(50, shared), looks(5000, shared)
		if few < turns || many > few+few/10 {
			t.Errorf("in %d turns flows were looked at %d times with 5000 open ones and %d times with 50 (in one trace: %v)", turns, many, few, shared)
		}
	}
}

// A trace whose spans all wait for their parents, each in a request of its own, is
// looked at a few times and not once for each span; and none is forgotten.
func TestALargeFlowRests(t *testing.T) {
	const spans = 20_000
	for _, opens := range []trace.Opening{trace.OpensByTrace, trace.OpensBySession} {
		for _, closed := range []bool{false, true} {
			l := newLeafFirst(opens)
			seen := l.send(t, spans, spans/2)
			if closed {
				l.store.CloseFlow(seen, trace.ByVerdicts)
			}
			l.send(t, spans/2, 0)
			if looks := store.Looks(l.store); looks > 30*spans {
				t.Errorf("flows opened as by %d, closed meanwhile: %v: %d looks at %d spans", opens, closed, looks, spans)
			}
			l.now = l.now.Add(spans * time.Microsecond)
			if f := l.changed(t); f.Len() != spans {
				t.Errorf("flows opened as by %d, closed meanwhile: %v: %d spans were handed out after a while, want %d", opens, closed, f.Len(), spans)
			}
		}
	}
}

// What became of a flow is told at once, however long it would rest.
func TestARestingFlowCloses(t *testing.T) {
	const spans = 5000
	l := newLeafFirst(trace.OpensByTrace)
	l.send(t, spans, 0)
	l.store.Close(trace.ByEndOfRun)
	if f := l.changed(t); f.Len() != spans || f.State() != trace.Closed {
		t.Errorf("%d spans were handed out, and the flow is %v, want %d and closed", f.Len(), f.State(), spans)
	}
}

// leafFirst sends one trace, a binary tree, from its leaves on, in requests of one span.
type leafFirst struct {
	store *store.Store
	now   time.Time
	last  trace.Flow
}

func newLeafFirst(opens trace.Opening) *leafFirst {
	l := &leafFirst{now: time.Unix(1_700_000_000, 0)}
	l.store = store.New([]trace.Membership{{Flow: "f", Opens: opens}}, store.Settings{Now: func() time.Time { return l.now }})
	return l
}

// send sends the spans of these numbers, the last first, and returns the flow as it
// was handed out last. It takes a microsecond for each.
func (l *leafFirst) send(t *testing.T, from, to int) trace.Flow {
	var w trace.Builder
	for i := from; i > to; i-- {
		d := trace.SpanData{Name: "work", Kind: trace.Internal, TraceID: trace.TraceID{1}, ID: spanID(1, i), Start: 1, End: 2}
		if i > 1 {
			d.Parent = spanID(1, i/2)
		}
		w.Add(&d)
		l.now = l.now.Add(time.Microsecond)
		if err := l.store.Consume(t.Context(), trace.Batch{Spans: w.Commit()}); err != nil {
			t.Fatal(err)
		}
		l.changed(t)
	}
	return l.last
}

func (l *leafFirst) changed(t *testing.T) trace.Flow {
	done, cancel := context.WithCancel(t.Context())
	cancel()
	for {
		f, err := l.store.Next(done)
		if err != nil {
			return l.last
		}
		l.last = f
	}
}

// A chain of spans may be as deep as memory allows: nothing that walks along it is
// bound to the stack.
func TestADeepChain(t *testing.T) {
	const spans = 10_000
	defer debug.SetMaxStack(debug.SetMaxStack(1 << 20))
	for _, above := range []bool{false, true} {
		s := store.New([]trace.Membership{{Flow: "f", Origin: func(s trace.Span) bool { return s.Kind() == trace.Server }}}, store.Settings{})
		var w trace.Builder
		for i := spans; i >= 1; i-- {
			d := trace.SpanData{Name: "work", Kind: trace.Internal, TraceID: trace.TraceID{1}, ID: spanID(1, i), Start: 1, End: 2}
			if i > 1 {
				d.Parent = spanID(1, i-1)
			}
			if i == 1 || above && i == spans {
				d.Kind = trace.Server // is an origin, which the other one undoes
			}
			w.Add(&d)
		}
		if err := s.Consume(t.Context(), trace.Batch{Spans: w.Commit()}); err != nil {
			t.Fatal(err)
		}
		f, err := s.Next(t.Context())
		for err == nil && f.State() == trace.Retracted {
			f, err = s.Next(t.Context())
		}
		if err != nil || f.Len() != spans {
			t.Errorf("another origin at the end: %v: %d spans and %v, want %d", above, f.Len(), err, spans)
		}
	}
}

// An id that very many messages have joins no more of them than memory is asked for.
func TestAnIDOfManyMessages(t *testing.T) {
	const each = 500
	s := store.New(nil, store.Settings{})
	var w trace.Builder
	for i := range 2 * each {
		w.Add(&trace.SpanData{Kind: trace.Producer + trace.Kind(i%2), TraceID: trace.TraceID{1}, ID: spanID(1, i+1),
			Attrs: []trace.Attr{{Key: "messaging.message.id", Value: trace.StringValue("0")}}})
	}
	if err := s.Consume(t.Context(), trace.Batch{Spans: w.Commit()}); err != nil {
		t.Fatal(err)
	}
	joined := 0
	for v, n := s.View(), trace.Node(0); int(n) < v.Received(); n++ {
		for range v.Causes(n) {
			joined++
		}
	}
	if joined == 0 || joined > 100*each {
		t.Errorf("%d messages with one id are joined by %d edges", each, joined)
	}
}

func TestMembershipDoesNotDependOnTheOrderOfArrival(t *testing.T) {
	tests := []struct {
		name, sketch, want string
	}{
		{"two origins, of which one turns out to lie under the other", `
test   suite  internal  0..100ms
  shop  order  5..60ms
    shop  retry  internal  10..50ms  at=200ms
      shop  order  15..40ms
  test  other  internal  70..80ms`, `
f closed end of the recording
  shop order
  shop order
  shop retry
  test other
  test suite
`},
		{"a parent in another trace that is no member", `
shop  order  0..50ms  #o
far   above  internal  0..90ms  at=2s
  far  linked  internal  10..80ms  link=#o`, `
f closed end of the recording
  far linked
  shop order
`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{})
			for _, a := range sketch.MustParse(tt.sketch).Arrivals {
				p.Arrive(a)
			}
			p.Wait(time.Second)
			got := "\n"
			for _, f := range p.Close(trace.ByEndOfRecording) {
				got += describe(f)
			}
			for _, rule := range []string{"origin", "trace", "parent", "link"} {
				got = strings.ReplaceAll(got, " ("+rule+")", "")
			}
			if diff := cmp.Diff(sortedLines(tt.want), sortedLines(got)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// Of several origins of one instance the first by start is the origin, and spans
// that a value joins are compared with that one.
func TestTheOriginDoesNotDependOnTheOrderOfArrival(t *testing.T) {
	const text = `
queue  step  server  20..29ms  job=1 order=7
queue  step  server  0..9ms  job=1
audit  note  internal  10..11ms  order=7
`
	members := map[string]trace.Membership{
		"value":   {Opens: trace.OpensByKey, Keys: by("order"), Per: func(s trace.Span) (string, bool) { v, ok := s.Attr("job"); return v.String(), ok }},
		"session": {Opens: trace.OpensBySession},
	}
	all := sketch.MustParse(text).Arrivals
	for name, m := range members {
		m.Flow, m.Origin = name, named("step")
		for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
			p := storetest.New([]trace.Membership{m}, store.Settings{})
			for _, i := range order {
				p.Arrive(all[i])
			}
			flows := p.Close(trace.ByEndOfRecording)
			if len(flows) != 1 || flows[0].Len() != 3 {
				t.Errorf("%s, in the order %v: %v, want one flow of 3 spans", name, order, flows)
				continue
			}
			if n, _ := flows[0].Origin(); flows[0].Span(n).Start() != sketch.Base {
				t.Errorf("%s, in the order %v: the origin is not the first", name, order)
			}
		}
	}
}

// Those that lie below another one are not the origin, though by their clock they are first.
func TestTheOriginIsBelowNoOther(t *testing.T) {
	all := sketch.MustParse(`
test  suite  internal  0..100ms
  queue  step  server  10..19ms  order=7
  queue  step  server  20..90ms
    stock  step  server  5..30ms
audit  note  internal  15..16ms  order=7`).Arrivals
	for order := range permutations(len(all)) {
		for _, wait := range []time.Duration{0, 10 * time.Second} {
			p := storetest.New([]trace.Membership{{Flow: "f", Opens: trace.OpensByTrace, Origin: named("step"), Keys: by("order")}}, store.Settings{})
			for _, i := range order {
				p.Arrive(sketch.Arrival{Span: all[i].Span, At: sketch.Base.Add(time.Second)})
			}
			flows := append(p.Wait(wait), p.Close(trace.ByEndOfRun)...)
			f := flows[len(flows)-1]
			n, _ := f.Origin()
			if start := f.Span(n).Start().Sub(sketch.Base); f.Len() != len(all) || start != 10*time.Millisecond {
				t.Fatalf("in the order %v: %s, its origin starts at %v, want all spans and 10ms", order, describe(f), start)
			}
		}
	}
}

// The trace was taken for one flow, until a second origin came.
func TestWhatLeavesAFlowIsAStray(t *testing.T) {
	p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{})
	for _, a := range sketch.MustParse(`
test  suite  internal  0..100ms
  shop  order  10..20ms
  shop  other  internal  21..25ms
  shop  order  30..40ms`).Arrivals {
		p.Arrive(a)
	}
	got := map[string]bool{}
	for v, n := p.Store.View(), trace.Node(0); int(n) < v.Received(); n++ {
		got[v.Span(n).Name()] = v.Connected(n)
	}
	if want := map[string]bool{"suite": false, "order": true, "other": false}; !maps.Equal(got, want) {
		t.Errorf("caused by a flow: %v, want %v", got, want)
	}
	stats := p.Store.Stats()
	if want := map[string]int{"test": 1, "shop": 1}; stats.Instances != 2 || !maps.Equal(stats.Unjoined, want) {
		t.Errorf("%d flows, in none are %v; want 2, and %v", stats.Instances, stats.Unjoined, want)
	}
}

// The parent that a member waits for is no member itself; that it arrives still
// means that nothing is missing.
func TestAnEdgeClosesThoughItsOtherEndIsNoMember(t *testing.T) {
	p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{})
	all := sketch.MustParse(`
shop  order  0..50ms  #o
far   above  internal  0..90ms  at=2s
  far  linked  internal  10..80ms  link=#o`).Arrivals
	p.Arrive(all[0])
	if f := p.Arrive(all[1])[0]; len(f.OpenEdges()) != 1 {
		t.Fatalf("before the parent came: %s", describe(f))
	}
	p.Arrive(all[2])
	if got := p.Wait(10 * time.Second); len(got) != 1 || got[0].State() != trace.Complete {
		t.Errorf("after the parent came: got %v, want a complete flow", got)
	}
}

func TestAFlowForAValueHappensOnce(t *testing.T) {
	m := trace.Membership{Flow: "f", Origin: named("step"), Opens: trace.OpensByKey, Scope: trace.ScopeValue,
		Per: func(s trace.Span) (string, bool) { v, ok := s.Attr("job"); return v.String(), ok }}
	p := storetest.New([]trace.Membership{m}, store.Settings{})
	all := sketch.MustParse("queue  step  0..9ms  job=1\nqueue  step  20..29ms  job=1").Arrivals
	p.Store.CloseFlow(p.Arrive(all[0])[0], trace.BySilence)
	if f := p.Arrive(all[1]); len(f) != 1 || f[0].State() != trace.Closed || f[0].Len() != 2 {
		t.Errorf("a span that came late: got %v, want the closed flow with 2 spans", f)
	}
}

// A span may arrive while the caller makes up its mind to close what it has seen.
func TestClosingDoesNotHideWhatTheCallerHasNotSeen(t *testing.T) {
	p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{})
	all := sketch.MustParse("shop  order  0..50ms\n  shop  late  internal  5..60ms").Arrivals
	seen := p.Arrive(all[0])[0]
	batch := trace.Batch{Spans: []trace.Span{all[1].Span}}
	if err := p.Store.Consume(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	p.Store.CloseFlow(seen, trace.BySilence)
	if f := p.Changed(); len(f) != 1 || f[0].Len() != 2 {
		t.Errorf("got %v, want the flow with the span that was not seen", f)
	}
}

func spanID(trace, span int) (id trace.SpanID) {
	binary.BigEndian.PutUint32(id[:], uint32(trace))
	binary.BigEndian.PutUint32(id[4:], uint32(span))
	return id
}
