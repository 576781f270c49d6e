package store_test

import (
	"iter"
	"maps"
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
  open: parent of reserve
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

// Tracers in the style of Zipkin give a client's span and the server's the same id.
// The two stay two; the server's half hangs under the client's, and what the server
// did under its own, in whatever order they arrive.
func TestHalvesOfAZipkinSpan(t *testing.T) {
	for name, parentOfServer := range map[string]trace.SpanID{"that names the client's parent": {1}, "that names no parent": {}} {
		var b trace.Builder
		half := func(service string, kind trace.Kind, id, parent trace.SpanID) {
			b.SetResource(trace.ResourceData{Attrs: []trace.Attr{{Key: "service.name", Value: trace.StringValue(service)}}})
			b.Add(&trace.SpanData{TraceID: trace.TraceID{1}, ID: id, Parent: parent, Name: service, Kind: kind, Start: sketch.Base, End: sketch.Base + 1})
		}
		half("order", trace.Server, trace.SpanID{1}, trace.SpanID{})
		half("shop", trace.Client, trace.SpanID{2}, trace.SpanID{1})
		half("stock", trace.Server, trace.SpanID{2}, parentOfServer)
		half("query", trace.Client, trace.SpanID{3}, trace.SpanID{2})
		half("forwarded", trace.Server, trace.SpanID{4}, trace.SpanID{2})
		spans := b.Commit()
		want := map[string]string{"shop": "order", "stock": "shop", "query": "stock", "forwarded": "stock"}
		for order := range permutations(len(spans)) {
			p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{})
			for _, i := range order {
				p.Arrive(sketch.Arrival{Span: spans[i], At: sketch.Base})
			}
			f := p.Close(trace.ByEndOfRecording)[0]
			parents := map[string]string{}
			for i := range f.Len() {
				n := f.Member(i)
				if above, ok := f.Parent(n); ok {
					parents[f.Span(n).Name()] = f.Span(above).Name()
				}
			}
			if diff := cmp.Diff(want, parents); diff != "" {
				t.Fatalf("a server's half %s, in the order %v (-want +got)\n%s", name, order, diff)
			}
			if e := f.OpenEdges(); len(e) != 0 {
				t.Fatalf("a server's half %s, in the order %v: open edges %v", name, order, e)
			}
		}
	}
}

// Who links to an id that two halves share follows from either.
func TestALinkToAZipkinSpan(t *testing.T) {
	var b trace.Builder
	add := func(name string, kind trace.Kind, traceID byte, id, parent trace.SpanID, links ...trace.LinkData) {
		b.SetResource(trace.ResourceData{Attrs: []trace.Attr{{Key: "service.name", Value: trace.StringValue(name)}}})
		b.Add(&trace.SpanData{TraceID: trace.TraceID{traceID}, ID: id, Parent: parent, Name: name, Kind: kind, Start: sketch.Base, End: sketch.Base + 1, Links: links})
	}
	add("order", trace.Server, 1, trace.SpanID{1}, trace.SpanID{})
	add("shop", trace.Client, 1, trace.SpanID{2}, trace.SpanID{1})
	add("stock", trace.Server, 1, trace.SpanID{2}, trace.SpanID{1})
	add("mail", trace.Consumer, 2, trace.SpanID{3}, trace.SpanID{}, trace.LinkData{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}})
	spans := b.Commit()
	for order := range permutations(len(spans)) {
		p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("stock"), Scope: trace.ScopeSubtree}}, store.Settings{})
		for _, i := range order {
			p.Arrive(sketch.Arrival{Span: spans[i], At: sketch.Base})
		}
		if f := p.Close(trace.ByEndOfRecording)[0]; f.Len() != 2 {
			t.Fatalf("in the order %v: %s, want stock and mail", order, describe(f))
		}
	}
}

// The server's half may name another parent than the client's. It leaves the flows of
// that one as soon as the client's half is there.
func TestAHalfThatHangsElsewhere(t *testing.T) {
	var b trace.Builder
	add := func(name string, kind trace.Kind, id, parent trace.SpanID, attrs ...trace.Attr) {
		b.SetResource(trace.ResourceData{Attrs: []trace.Attr{{Key: "service.name", Value: trace.StringValue(name)}}})
		b.Add(&trace.SpanData{TraceID: trace.TraceID{1}, ID: id, Parent: parent, Name: name, Kind: kind, Start: sketch.Base, End: sketch.Base + 1, Attrs: attrs})
	}
	job := func(n int64) trace.Attr { return trace.Attr{Key: "job", Value: trace.IntValue(n)} }
	add("suite", trace.Internal, trace.SpanID{9}, trace.SpanID{})
	add("order", trace.Server, trace.SpanID{1}, trace.SpanID{9}, job(1))
	add("shop", trace.Client, trace.SpanID{2}, trace.SpanID{1})
	add("stock", trace.Server, trace.SpanID{2}, trace.SpanID{5})
	add("order", trace.Server, trace.SpanID{5}, trace.SpanID{9}, job(2))
	spans := b.Commit()
	for name, m := range map[string]trace.Membership{
		"by span":  {},
		"by value": {Opens: trace.OpensByKey, Per: func(s trace.Span) (string, bool) { v, ok := s.Attr("job"); return v.String(), ok }},
	} {
		m.Flow, m.Origin = "f", named("order")
		for order := range permutations(len(spans)) {
			p := storetest.New([]trace.Membership{m}, store.Settings{})
			for _, i := range order {
				p.Arrive(sketch.Arrival{Span: spans[i], At: sketch.Base})
			}
			got := map[trace.SpanID]int{}
			for _, f := range p.Close(trace.ByEndOfRecording) {
				n, _ := f.Origin()
				got[f.Span(n).ID()] = f.Len()
			}
			if want := map[trace.SpanID]int{{1}: 3, {5}: 1}; !maps.Equal(got, want) {
				t.Fatalf("%s, in the order %v: spans by origin %v, want %v", name, order, got, want)
			}
		}
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

// A task that is tried again may be sent by who runs it, with the id that it has.
func TestATaskThatIsSentAgainIsNotItsOwnCause(t *testing.T) {
	all := sketch.MustParse(`
shop  order  0..50ms
  shop  send  producer  10..20ms  messaging.destination.name=tasks messaging.message.id=t1
worker  run  consumer  30..60ms  messaging.destination.name=tasks messaging.message.id=t1
  worker  send again  producer  50..55ms  messaging.destination.name=tasks messaging.message.id=t1
worker  run again  consumer  70..90ms  messaging.destination.name=tasks messaging.message.id=t1`).Arrivals
	for order := range permutations(len(all)) {
		p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{})
		for _, i := range order {
			p.Arrive(all[i])
		}
		f, causes := p.Close(trace.ByEndOfRecording)[0], map[string][]string{}
		for i := range f.Len() {
			n := f.Member(i)
			for cause := range f.Causes(n) {
				causes[f.Span(n).Name()] = append(causes[f.Span(n).Name()], f.Span(cause).Name())
			}
			slices.Sort(causes[f.Span(n).Name()])
		}
		if diff := cmp.Diff(map[string][]string{"run": {"send"}, "run again": {"send", "send again"}}, causes); diff != "" {
			t.Fatalf("in the order %v: causes (-want +got)\n%s", order, diff)
		}
	}
}

// Who began to consume before a message was sent had another one; that takes one clock.
func TestAMessageIsNotReadBeforeItIsSent(t *testing.T) {
	const message = "messaging.destination.name=tasks messaging.message.id=t1"
	for name, tt := range map[string]struct {
		resources string
		want      int
	}{
		"one host":                  {"", 2},
		"two hosts":                 {"resource worker host.id=h2", 3},
		"hosts that nobody knows":   {"resource worker host.id=\"\"\nresource shop host.id=\"\"", 3},
		"one process, host unknown": {"resource worker host.id=\"\" service.name=w service.instance.id=1\nresource shop host.id=\"\" service.name=w service.instance.id=1", 2},
	} {
		all := sketch.MustParse(tt.resources + `
worker  run  consumer  30..60ms  ` + message + `
shop  order  0..90ms
  shop  send  producer  80..85ms  ` + message).Arrivals
		for order := range permutations(len(all)) {
			p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{})
			for _, i := range order {
				p.Arrive(all[i])
			}
			if f := p.Close(trace.ByEndOfRecording)[0]; f.Len() != tt.want {
				t.Fatalf("%s, in the order %v: %s, want %d spans", name, order, describe(f), tt.want)
			}
		}
	}
}

// Where several traces gave a message the same id, a consumer's context tells whose it
// has, whatever arrives first. One without a context may have any of them.
func TestAContextTellsMessagesApart(t *testing.T) {
	all := sketch.MustParse(`
shop  order  0..50ms  n=1
  shop  send  producer  1..2ms  #one messaging.destination.name=orders messaging.message.id=7
shop  order  0..50ms  n=2
  shop  send  producer  3..4ms  #two messaging.destination.name=orders messaging.message.id=7
mail  first   10..20ms  consumer  link=#one messaging.destination.name=orders messaging.message.id=7
mail  second  10..20ms  consumer  parent=#two messaging.destination.name=orders messaging.message.id=7
log   write   10..20ms  consumer  messaging.destination.name=orders messaging.message.id=7`).Arrivals
	for order := range permutations(len(all)) {
		p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{})
		for _, i := range order {
			p.Arrive(all[i])
		}
		var got []string
		for _, f := range p.Close(trace.ByEndOfRecording) {
			got = append(got, sortedLines(describe(f)))
		}
		slices.Sort(got)
		want := []string{
			"f closed end of the recording\n  log write (message)\n  mail first (link)\n  shop order (origin)\n  shop send (trace)",
			"f closed end of the recording\n  log write (message)\n  mail second (trace)\n  shop order (origin)\n  shop send (trace)",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("in the order %v (-want +got)\n%s", order, diff)
		}
	}
}

// A message that is sent again in its own trace is tried once more; one of another trace
// has the id of somebody else's.
func TestMessagesThatShareAnID(t *testing.T) {
	for name, tt := range map[string]struct {
		sketch string
		want   []string
	}{
		"tried again": {`
shop  order  0..50ms
  shop  send  producer  1..2ms  messaging.destination.name=orders messaging.message.id=1
  shop  send  producer  3..4ms  messaging.destination.name=orders messaging.message.id=1`, nil},
		"another destination": {`
shop  order  0..50ms
  shop  send  producer  1..2ms  messaging.destination.name=orders messaging.message.id=1
shop  order  60..90ms
  shop  send  producer  61..62ms  messaging.destination.name=mails messaging.message.id=1`, nil},
		"another trace": {`
shop  order  0..50ms
  shop  send  producer  1..2ms  messaging.destination.name=orders messaging.message.id=1
shop  order  60..90ms
  shop  send  producer  61..62ms  messaging.destination.name=orders messaging.message.id=1
mail  take  70..80ms  consumer  messaging.destination.name=orders messaging.message.id=1`, []string{"1 of orders"}},
		"a link tells": {`
shop  order  0..50ms
  shop  send  producer  1..2ms  messaging.destination.name=orders messaging.message.id=1
shop  order  60..90ms
  shop  send  producer  61..62ms  #sent messaging.destination.name=orders messaging.message.id=1
mail  take  70..80ms  consumer  link=#sent messaging.destination.name=orders messaging.message.id=1`, nil},
	} {
		p := storetest.New(nil, store.Settings{Recorded: true})
		p.Arrive(sketch.MustParse(tt.sketch).Arrivals...)
		p.Close(trace.ByEndOfRecording)
		if got := p.Store.Stats().SharedMessages; !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
