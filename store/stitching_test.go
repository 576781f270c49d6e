package store_test

import (
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/store/storetest"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

// What services do to traces, beside passing them on.
func TestStitching(t *testing.T) {
	tests := []struct {
		name, sketch, want string
		run                string // the label of a span whose trace is the run's
	}{
		{
			name: "a test suite under one TRACEPARENT: each origin has what it caused",
			sketch: `
suite  tests  internal  0..200ms  #run
  shop  order  0..50ms
    stock  reserve  10..20ms
  shop  health  60..61ms
  shop  order  100..150ms
    stock  reserve  110..120ms`,
			run: "run",
			want: `
f closed end of the recording
  shop order (origin)
  stock reserve (parent)
f closed end of the recording
  shop order (origin)
  stock reserve (parent)
`,
		},
		{
			name: "a parent is lost, the trace id is kept",
			sketch: `
shop  order  0..50ms  #order
stock  reserve  10..20ms  trace=#order
mail   send     30..40ms  trace=#order parent=missing`,
			want: `
f closed end of the recording
  shop order (origin)
  stock reserve (trace)
  mail send (trace)
  open: parent of send
`,
		},
		{
			name: "a request goes on in a trace of its own, which links back",
			sketch: `
shop  order  0..50ms
  gateway  forward  5..45ms  #forward
stock  reserve  server  10..20ms  link=#forward
  stock  query  client  12..15ms`,
			want: `
f closed end of the recording
  shop order (origin)
  gateway forward (trace)
  stock reserve (link)
  stock query (parent)
`,
		},
		{
			name: "the caller of the origin sends no spans",
			sketch: `
shop  order  0..50ms  parent=missing
  stock  reserve  10..20ms`,
			want: `
f closed end of the recording
  shop order (origin)
  stock reserve (trace)
`,
		},
		{
			name: "a caller in between sends no spans",
			sketch: `
shop  order  0..50ms  #order
stock  reserve  server  10..20ms  trace=#order parent=missing`,
			want: `
f closed end of the recording
  shop order (origin)
  stock reserve (trace)
  open: parent of reserve
`,
		},
		{
			name: "a span is lost under one TRACEPARENT: whose the orphan is, only its time hints at",
			sketch: `
suite  tests  internal  0..200ms  #run
  shop  order  0..50ms
    stock  reserve  10..20ms
  shop  order  100..150ms
stock  reserve  110..120ms  trace=#run parent=missing`,
			run: "run",
			want: `
f closed end of the recording
  shop order (origin)
  stock reserve (parent)
f closed end of the recording
  shop order (origin)
  open: parent of reserve
`,
		},
		{
			name: "a span is lost beside origins that are messages themselves",
			sketch: `
suite  tests  internal  0..200ms  #run
  suite  first   internal  0..60ms
    shop  order  producer  0..50ms
  suite  second  internal  90..160ms
    shop  order  producer  100..150ms
stock  reserve  server  110..120ms  trace=#run parent=missing`,
			run: "run",
			want: `
f closed end of the recording
  shop order (origin)
f closed end of the recording
  shop order (origin)
  open: parent of reserve
`,
		},
		{
			name: "the same, where the run's own span never comes",
			sketch: `
suite  tests  internal  0..200ms  at=1h  #run
  shop  order  producer  0..50ms
  shop  order  producer  100..150ms
stock  reserve  server  110..120ms  trace=#run parent=missing`,
			run: "run",
			want: `
f closed end of the recording
  shop order (origin)
f closed end of the recording
  shop order (origin)
  open: parent of reserve
`,
		},
		{
			name: "the same, where nothing is above them",
			sketch: `
shop   order    producer  0..50ms  #one
shop   order    producer  100..150ms  trace=#one
stock  reserve  server  110..120ms  trace=#one parent=missing`,
			want: `
f closed end of the recording
  shop order (origin)
f closed end of the recording
  shop order (origin)
  open: parent of reserve
`,
		},
		{
			name: "what is beside an origin, and no orphan",
			sketch: `
suite  tests  internal  0..200ms  at=1h  #run
  shop  order   0..50ms
  shop  order   100..150ms
  shop  health  internal  20..30ms
shop   tick   internal  20..30ms  trace=#run
shop   order  producer  20..30ms  trace=#run parent=missing`,
			run: "run",
			want: `
f closed end of the recording
  shop order (origin)
f closed end of the recording
  shop order (origin)
f closed end of the recording
  shop order (origin)
`,
		},
		{
			name: "a span is lost, and a message of the flow came through a trace from outside",
			sketch: `
suite  tests  internal  0..200ms  #run
  shop  order  0..50ms
    shop  send  producer  10..20ms  #send
  shop  order  100..150ms
relay  forward  consumer  30..40ms  link=#send parent=missing
stock  reserve  server  35..45ms  trace=#run parent=missing`,
			run: "run",
			want: `
f closed end of the recording
  shop order (origin)
  shop send (parent)
  relay forward (link)
  open: parent of reserve
f closed end of the recording
  shop order (origin)
`,
		},
		{
			name: "the caller of a whole suite sends no spans: what it calls beside an origin is no orphan of that",
			sketch: `
shop  order   0..50ms    parent=missing #one
shop  order   100..150ms trace=#one parent=missing
shop  health  server  20..30ms  trace=#one parent=missing
shop  query   client  110..120ms  trace=#one parent=missing`,
			want: `
f closed end of the recording
  shop order (origin)
f closed end of the recording
  shop order (origin)
  open: parent of query
`,
		},
		{
			name: "a span is lost behind a message",
			sketch: `
shop   order  0..50ms
  shop   send   producer  10..20ms  #send
mail   process  consumer  30..90ms  link=#send  #process
stock  reserve  server  40..50ms  trace=#process parent=missing
stock  restock  server  400..500ms  trace=#process parent=missing`,
			want: `
f closed end of the recording
  shop order (origin)
  shop send (trace)
  mail process (link)
  open: parent of restock
`,
		},
		{
			name: "the sender of a message is lost: who links to it belongs to the trace",
			sketch: `
shop   order  0..50ms  #order
  shop   send   producer  10..20ms  at=1h  #send
mail   process  consumer  30..90ms  link=#send
  mail   smtp   client    40..50ms`,
			want: `
f closed end of the recording
  shop order (origin)
  mail process (link)
  mail smtp (parent)
  open: linked span of process
`,
		},
		{
			name: "the same, and the origin comes last",
			sketch: `
shop   order  0..50ms  at=1s  #order
  shop   send   producer  10..20ms  at=1h  #send
mail   process  consumer  30..90ms  link=#send`,
			want: `
f closed end of the recording
  shop order (origin)
  mail process (link)
  open: linked span of process
`,
		},
		{
			name: "the sender of a message is lost in a trace of several flows",
			sketch: `
suite  tests  internal  0..200ms  #run
  shop  order  0..50ms
    shop   send   producer  10..20ms  at=1h  #send
  shop  order  100..150ms
mail   process  consumer  30..90ms  link=#send`,
			run: "run",
			want: `
f closed end of the recording
  shop order (origin)
  open: linked span of process
f closed end of the recording
  shop order (origin)
`,
		},
		{
			name: "a batch consumer belongs to the flows of all its messages",
			sketch: `
shop   order   0..50ms
  shop   send   producer  10..20ms  #one
shop   order   100..150ms
  shop   send   producer  110..120ms  #two
mail   batch   consumer  200..250ms  link=#one link=#two`,
			want: `
f closed end of the recording
  shop order (origin)
  shop send (trace)
  mail batch (link)
f closed end of the recording
  shop order (origin)
  shop send (trace)
  mail batch (link)
`,
		},
	}
	for i, tt := range slices.Concat(tests, tests) { // recorded and live
		t.Run(tt.name, func(t *testing.T) {
			s := sketch.MustParse(tt.sketch)
			settings := store.Settings{Recorded: i < len(tests)}
			if tt.run != "" {
				settings.RunTrace, settings.RunSpan = s.Labels[tt.run].TraceID(), s.Labels[tt.run].ID()
			}
			p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, settings)
			for _, a := range s.Arrivals {
				if a.At.Sub(sketch.Base) < time.Hour {
					p.Arrive(a)
				}
			}
			got := []string{"\n"}
			for _, f := range p.Close(trace.ByEndOfRecording) {
				got = append(got, describe(f))
			}
			if diff := cmp.Diff(sortedLines(tt.want), sortedLines(strings.Join(got, ""))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// permutations yields all orders of n things.
func permutations(n int) iter.Seq[[]int] {
	return func(yield func([]int) bool) { permute(make([]int, 0, n), n, yield) }
}

func permute(head []int, n int, yield func([]int) bool) bool {
	if len(head) == n {
		return yield(head)
	}
	for i := range n {
		if !slices.Contains(head, i) && !permute(append(head, i), n, yield) {
			return false
		}
	}
	return true
}

// A span may be reached in several ways. How far it is from the origin, by which rule
// it joined and what lies beyond the limit does not depend on which came first.
func TestTheNearestWayCounts(t *testing.T) {
	all := sketch.MustParse(`
shop  order  0..50ms  #a
b  b  consumer  60..70ms  link=#a #b
c  c  consumer  80..90ms  link=#b link=#a #c
d  d  consumer  90..95ms  link=#c messaging.system=m messaging.destination.name=q messaging.message.id=1 #d
e  e  consumer  96..97ms  link=#d
x  send  producer  40..45ms  messaging.system=m messaging.destination.name=q messaging.message.id=1 trace=#a`).Arrivals
	want := "f closed end of the recording cut=1\n  b b (link)\n  c c (link)\n  d d (message)\n  shop order (origin)\n  x send (trace)"
	for order := range permutations(len(all)) {
		p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order"), Hops: 1}}, store.Settings{})
		for _, i := range order {
			p.Arrive(all[i])
		}
		if got := sortedLines(describe(p.Close(trace.ByEndOfRecording)[0])); got != want {
			t.Fatalf("in the order %v:\n%s\nwant\n%s", order, got, want)
		}
	}
}

// What a correlation key joined has no values to join by itself, unless links lead to it as
// well, up to the limit. From there links lead on, up to the limit from where it joined.
func TestWhatAKeyJoinedHoldsNoValues(t *testing.T) {
	all := sketch.MustParse(`
shop   order   0..50ms  k=1  #a
b      b  consumer  60..70ms  link=#a  #b
mail   send    80..90ms  k=1 v=1 link=#b  #send
c      c  consumer  91..95ms  link=#send w=1
audit  with v  96..97ms  v=1
audit  with w  96..97ms  w=1`).Arrivals
	for hops, want := range map[int]string{
		1: "b, c, order, send",
		2: "b, c, order, send, with v",
		3: "b, c, order, send, with v, with w",
	} {
		for order := range permutations(len(all)) {
			p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order"), Hops: hops, Keys: slices.Concat(by("k"), by("v"), by("w"))}}, store.Settings{})
			for _, i := range order {
				p.Arrive(all[i])
			}
			f := p.Close(trace.ByEndOfRecording)[0]
			var names []string
			for i := range f.Len() {
				names = append(names, f.Span(f.Member(i)).Name())
			}
			slices.Sort(names)
			if got := strings.Join(names, ", "); got != want || f.Cut() != 0 {
				t.Fatalf("%d hops, in the order %v: %s, %d too far; want %s", hops, order, got, f.Cut(), want)
			}
		}
	}
}

// Of two ways that need no key the shorter counts.
func TestTheNearestWayWithoutAKeyCounts(t *testing.T) {
	all := sketch.MustParse(`
shop   order   0..50ms  k=1  #a
b      b  consumer  60..70ms  link=#a  #b
b      detour  consumer  71..75ms  link=#b  #detour
mail   send    80..90ms  k=1 link=#b link=#detour  #send
c      c  consumer  91..95ms  link=#send  #c
d      d  consumer  96..97ms  link=#c x=1
audit  with x  98..99ms  x=1`).Arrivals
	last := len(all) - 1
	for order := range permutations(last) {
		p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order"), Hops: 3, Keys: slices.Concat(by("k"), by("x"))}}, store.Settings{})
		for _, i := range append(slices.Clone(order), last) {
			p.Arrive(all[i])
		}
		if f := p.Close(trace.ByEndOfRecording)[0]; f.Len() != 6 {
			t.Fatalf("in the order %v: %s, want all but that which d's value would join", order, describe(f))
		}
	}
}

// A value that two origins share joins spans again once it turns out that the second
// lies under the first, so that there is but one.
func TestAValueIsFreeAgain(t *testing.T) {
	all := sketch.MustParse(`
shop  order  0..90ms  order.id=1
  shop  retry  internal  5..60ms
    shop  order  10..50ms  order.id=1
mail  send  70..80ms  order.id=1
  mail  smtp  client  71..72ms`).Arrivals
	for order := range permutations(len(all)) {
		p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order"), Scope: trace.ScopeSubtree, Keys: by("order.id")}}, store.Settings{})
		for _, i := range order {
			p.Arrive(all[i])
		}
		flows := p.Close(trace.ByEndOfRecording)
		if len(flows) != 1 || flows[0].Len() != 5 || len(p.Store.Stats().SharedKeys) != 0 {
			t.Fatalf("in the order %v: %v, shared %v, want one flow of 5 spans", order, flows, p.Store.Stats().SharedKeys)
		}
	}
}
