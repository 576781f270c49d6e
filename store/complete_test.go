package store_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/store/storetest"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

func TestCompleteness(t *testing.T) {
	arrivals := sketch.MustParse(`
shop  order  0..50ms
  shop  slow  internal  1..40ms  at=45ms
    shop  query  client  2..20ms  db.system.name=sqlite`).Arrivals
	p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order"), Timing: trace.Timing{Deadline: 3 * time.Second}}}, store.Settings{})
	for _, a := range arrivals {
		p.Arrive(a)
	}
	if got := p.Wait(499 * time.Millisecond); len(got) > 0 {
		t.Fatalf("after 499ms of silence: %s", describe(got[0]))
	}
	got := p.Wait(time.Millisecond)
	if len(got) != 1 || got[0].State() != trace.Complete || got[0].Reason() != trace.NotClosed {
		t.Fatalf("after 500ms of silence: got %v, want one that is complete and not closed", got)
	}
	if got = p.Wait(3 * time.Second); len(got) != 1 || got[0].Reason() != trace.ByDeadline {
		t.Fatalf("at the deadline: got %d flows, want one closed by it", len(got))
	}
	late := sketch.MustParse(`
shop  order  0..50ms
  shop  a     internal  1..2ms
  shop  b     internal  1..2ms
  shop  late  internal  1..2ms  at=10s`).Arrivals[3]
	if got = p.Arrive(late); len(got) != 1 || got[0].State() != trace.Closed || got[0].Len() != 4 {
		t.Errorf("a late span: got %v", got)
	}
}

// A process that was late once is waited for twice as long.
func TestQuietIsLearned(t *testing.T) {
	p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{})
	for _, a := range sketch.MustParse("shop  poll  0..10ms  at=1010ms\nshop  order  1100..1150ms").Arrivals {
		p.Arrive(a)
	}
	if got := p.Wait(1999 * time.Millisecond); len(got) > 0 {
		t.Errorf("complete 2s after the last span, less 1ms: %s", describe(got[0]))
	}
	if got := p.Wait(time.Millisecond); len(got) != 1 || got[0].State() != trace.Complete {
		t.Errorf("not complete 2s after the last span: %v", got)
	}
}

// A peer of which nothing is known may be one that has not sent its first spans yet. It
// is waited for as long as SDKs hold spans back, once.
func TestStrangersAreWaitedForOnce(t *testing.T) {
	for name, edge := range map[string]string{
		"a call":                      "call  client  1..20ms  server.address=gateway.example",
		"a call of nobody knows whom": "call  client  1..20ms",
		"a message":                   "send  producer  1..20ms  messaging.system=nats messaging.destination.name=orders",
	} {
		p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{})
		flow := "shop  order  0..50ms\n  shop  " + edge + "\n"
		all := sketch.MustParse(flow + strings.NewReplacer("0..50ms", "6000..6050ms", "1..", "6001..", "20ms", "6020ms").Replace(flow)).Arrivals
		for _, tt := range []struct{ wait, rest time.Duration }{{5 * time.Second, 500 * time.Millisecond}, {499 * time.Millisecond, time.Millisecond}} {
			p.Arrive(all[0])
			p.Arrive(all[1])
			all = all[2:]
			if got := p.Wait(tt.wait); len(got) > 0 {
				t.Errorf("%s: complete %v after the last span", name, tt.wait)
			}
			if got := p.Wait(tt.rest); len(got) != 1 || got[0].State() != trace.Complete {
				t.Errorf("%s: not complete %v after the last span: %v", name, tt.wait+tt.rest, got)
			}
		}
	}
}

// Only who was waited for that long counts as one that sends no spans.
func TestStrangersAreNotGivenUpOnEarly(t *testing.T) {
	const order = "resource shop followspan.run.id=r1\nshop  order  0..50ms\n  shop  call  client  1..20ms  server.address=gateway.example\n"
	for name, tt := range map[string]struct {
		wait   time.Duration
		others string
		reason trace.Reason
	}{
		"watermarks showed that all was sent": {0, "stock  poll  internal  60..65ms\nshop  order  70..92ms", trace.ByWatermarks},
		"the run started all that there were": {500 * time.Millisecond, "stock  poll  internal  560..600ms", trace.NotClosed},
	} {
		t.Run(name, func(t *testing.T) {
			p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{RunID: "r1"})
			p.From = straight
			all := sketch.MustParse(order + tt.others + "\n" + strings.NewReplacer("0..50ms", "6000..6050ms", "1..20ms", "6001..6020ms").Replace(order)).Arrivals
			first := p.Arrive(all[:2]...)
			first = append(first, p.Wait(tt.wait)...)
			for _, a := range all[2 : len(all)-2] {
				first = append(first, p.Arrive(a)...)
			}
			if !slices.ContainsFunc(first, func(f trace.Flow) bool { return f.State() == trace.Complete && f.Reason() == tt.reason }) {
				t.Fatalf("of the first flow came %v", first)
			}
			p.Arrive(all[len(all)-2:]...)
			if got := p.Wait(5 * time.Second); len(got) != 0 {
				t.Errorf("5s after the second flow: %v, want nothing new", got)
			}
			if got := p.Wait(time.Second); len(got) != 1 || got[0].State() != trace.Complete {
				t.Errorf("6s after the second flow: %v, want it complete", got)
			}
		})
	}
}

// A silence that is long enough for SDKs is long enough for strangers, too.
func TestALongQuietIsLongEnoughForStrangers(t *testing.T) {
	p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order"), Timing: trace.Timing{Quiet: 6 * time.Second}}}, store.Settings{})
	p.Arrive(sketch.MustParse("shop  order  0..50ms\n  shop  call  client  1..20ms  server.address=gateway.example").Arrivals...)
	if got := p.Wait(6 * time.Second); len(got) != 1 || got[0].State() != trace.Complete {
		t.Errorf("after 6s: %v, want a complete flow", got)
	}
}

// What the author of a flow calls silent is not waited for, nor is anybody by a flow that
// is in haste.
func TestSilentPeersAreNotWaitedFor(t *testing.T) {
	for _, edge := range []string{"call  client  1..20ms  server.address=gateway.example", "send  producer  1..20ms  messaging.system=nats messaging.destination.name=orders"} {
		for _, m := range []trace.Membership{{Silent: []string{"gateway.example", "orders"}}, {Hasty: true}} {
			m.Flow, m.Origin = "f", named("order")
			p := storetest.New([]trace.Membership{m}, store.Settings{})
			p.Arrive(sketch.MustParse("shop  order  0..50ms\n  shop  " + edge).Arrivals...)
			if got := p.Wait(500 * time.Millisecond); len(got) != 1 || got[0].State() != trace.Complete {
				t.Errorf("%s, hasty: %v: after 500ms: %v, want a complete flow", edge, m.Hasty, got)
			}
		}
	}
}

// Nobody is asked by who was called, by a part of a call that was answered, by a message
// that was read, nor by a call of somebody of whom it is known that he sends no spans.
func TestWhoIsNotWaitedFor(t *testing.T) {
	for name, tt := range map[string]string{
		"a caller that sends no spans": "shop  order  0..50ms  parent=missing",
		"a part of an answered call": `
shop  order  0..50ms
  shop  GET  client  10..30ms  server.address=stock server.port=1 http.request.method=GET
    shop  http.getconn  client  11..15ms  server.address=stock:1
    stock  reserve  16..25ms`,
		"an answer to the call around it": `
shop  order  0..50ms
  shop  GET  client  10..30ms  server.address=stock  #get
    shop  exchange  client  11..29ms  server.address=stock http.request.method=GET
stock  reserve  server  16..25ms  link=#get`,
		"how a database was asked": `
shop  order  0..50ms
  shop  search  client  10..30ms  db.system.name=elasticsearch server.address=es
    shop  POST  client  11..29ms  http.request.method=POST server.address=es`,
		"a message that was read": `
shop  order  0..50ms
  shop  send  producer  1..5ms  messaging.system=nats messaging.destination.name=orders
    mail  process  consumer  6..9ms  messaging.system=nats messaging.destination.name=orders`,
	} {
		p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{})
		p.Arrive(sketch.MustParse(tt).Arrivals...)
		if got := p.Wait(500 * time.Millisecond); len(got) != 1 || got[0].State() != trace.Complete {
			t.Errorf("%s: after 500ms: %v, want a complete flow", name, got)
		}
	}
}

// Whoever asks a peer that was waited for in vain, however he does.
func TestAStrangerIsKnownByHisName(t *testing.T) {
	p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{})
	all := sketch.MustParse(`
shop  order  0..50ms
  shop  call  client  1..20ms  server.address=gateway.example
bank  order  6000..6050ms
  bank  ask  client  6001..6020ms  server.address=gateway.example`).Arrivals
	p.Arrive(all[:2]...)
	p.Wait(5500 * time.Millisecond)
	p.Arrive(all[2:]...)
	if got := p.Wait(500 * time.Millisecond); len(got) != 1 || got[0].State() != trace.Complete {
		t.Errorf("after 500ms: %v, want a complete flow", got)
	}
}

// Where a trigger is all that was seen nothing is known of how late spans come.
func TestATriggerWithoutSpansNeedsALongerSilence(t *testing.T) {
	s := sketch.MustParse("followspan  POST /order  client  0..60ms")
	p := storetest.New([]trace.Membership{{Flow: "f", Opens: trace.OpensByTrigger}}, store.Settings{})
	if _, err := p.Store.Expect("f", s.Arrivals[0].Span.TraceID(), s.Arrivals[0].Span.ID()); err != nil {
		t.Fatal(err)
	}
	p.Arrive(s.Arrivals[0])
	if got := p.Wait(5 * time.Second); len(got) > 0 {
		t.Error("complete after 5s")
	}
	if got := p.Wait(500 * time.Millisecond); len(got) != 1 || got[0].State() != trace.Complete {
		t.Error("not complete after 5.5s")
	}
	f := p.Close(trace.ByEndOfRun)[0]
	if e := f.OpenEdges(); len(e) != 1 || e[0].Kind != trace.WaitsForOrigin {
		t.Errorf("closed with open edges %v", e)
	}
}

// Who closes a trigger's flow early hears that nothing has come of it.
func TestATriggerThatIsClosedEarlyNeedsSpans(t *testing.T) {
	s := sketch.MustParse("followspan  POST /order  client  0..60ms")
	p := storetest.New([]trace.Membership{{Flow: "f", Opens: trace.OpensByTrigger}}, store.Settings{})
	if _, err := p.Store.Expect("f", s.Arrivals[0].Span.TraceID(), s.Arrivals[0].Span.ID()); err != nil {
		t.Fatal(err)
	}
	p.Store.CloseFlow(p.Arrive(s.Arrivals[0])[0], trace.ByVerdicts)
	if got := p.Changed(); len(got) != 1 || len(got[0].OpenEdges()) != 1 || got[0].OpenEdges()[0].Kind != trace.WaitsForOrigin {
		t.Errorf("handed out again: %v, want the flow with an open edge", got)
	}
}

// A flow that closes while spans still come is known no better than one with an open
// edge.
func TestAFlowThatIsNotSilent(t *testing.T) {
	all := sketch.MustParse(`
shop  order  0..50ms
shop  poll  internal  2700..2800ms`).Arrivals
	for _, tt := range []struct {
		name string
		last int
		want int
	}{{"silent long before its deadline", 1, 0}, {"still busy", 2, 1}} {
		t.Run(tt.name, func(t *testing.T) {
			p := storetest.New([]trace.Membership{{Flow: "g", Opens: trace.OpensByKey, Origin: func(trace.Span) bool { return true },
				Per: func(s trace.Span) (string, bool) { return s.Service(), true }, Timing: trace.Timing{Deadline: 3 * time.Second}}}, store.Settings{})
			for _, a := range all[:tt.last] {
				p.Arrive(a)
			}
			var closed trace.Flow
			for range 40 {
				for _, f := range p.Wait(100 * time.Millisecond) {
					closed = f
				}
			}
			if closed.Reason() != trace.ByDeadline || len(closed.OpenEdges()) != tt.want {
				t.Errorf("closed by %v with %v, want the deadline and %d open edges", closed.Reason(), closed.OpenEdges(), tt.want)
			}
		})
	}
}

// So is one that is still busy when the run ends, unless all that it could miss is known.
func TestAFlowThatIsBusyWhenTheRunEnds(t *testing.T) {
	const send = "  shop  send  producer  1..2ms  messaging.system=nats messaging.destination.name=orders\n"
	tests := []struct {
		name, sketch string
		flushed      bool
		want         string
	}{
		{"busy", "shop  order  0..50ms", false, "silence"},
		{"watermarks say that nothing else is missing", "resource shop followspan.run.id=r1\nshop  order  0..50ms\n  shop  query  internal  1..20ms  parent=missing\nshop  order  70..92ms", false, "parent"},
		{"what was started has ended, and it was not that", "shop  order  0..50ms", true, "silence"},
		{"its system has ended, and nobody reads its message", "resource shop followspan.run.id=r1\nshop  order  0..50ms\n" + send, true, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{RunID: "r1"})
			p.From = straight
			for _, a := range sketch.MustParse(tt.sketch).Arrivals {
				p.Arrive(a)
			}
			if tt.flushed {
				p.Store.Flushed()
			}
			var got []string
			for _, e := range p.Close(trace.ByEndOfRun)[0].OpenEdges() {
				got = append(got, e.Kind.String())
			}
			if g := strings.Join(got, ", "); g != tt.want {
				t.Errorf("open edges: got %q, want %q", g, tt.want)
			}
		})
	}
}

func TestUnknownLagNeedsALongerSilence(t *testing.T) {
	a := sketch.MustParse("shop  order  1h..1.1h at=10ms").Arrivals[0] // a clock that is an hour ahead
	p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{})
	p.Arrive(a)
	if got := p.Wait(5 * time.Second); len(got) > 0 {
		t.Fatalf("complete after 5s: %s", describe(got[0]))
	}
	if got := p.Wait(500 * time.Millisecond); len(got) != 1 || got[0].State() != trace.Complete {
		t.Fatal("not complete after 5.5s")
	}
}

// However long it is silent, and whatever watermarks say, a flow with an open edge is not
// complete. It closes at its deadline.
func TestOpenEdgesHoldAFlowUp(t *testing.T) {
	const order = `
resource shop   followspan.run.id=r1
resource stock  followspan.run.id=r1
shop  order  0..150ms
  shop  call  client  1..20ms  server.address=stock
    stock  reserve  2..10ms
  shop  call again  client  101..120ms  server.address=stock
`
	for name, later := range map[string]string{"silence": "", "watermarks": "shop  poll  170..190ms\nstock  poll  170..190ms\n"} {
		t.Run(name, func(t *testing.T) {
			p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{RunID: "r1"})
			p.From = straight
			var f trace.Flow
			for _, a := range sketch.MustParse(order + later).Arrivals {
				for _, f = range p.Arrive(a) {
				}
			}
			if got := p.Wait(29 * time.Second); len(got) != 0 || f.State() != trace.Open || len(f.OpenEdges()) != 1 {
				t.Errorf("before the deadline it is %v with %v, and changed: %v; want it open, with an edge", f.State(), f.OpenEdges(), got)
			}
			if got := p.Wait(2 * time.Second); len(got) != 1 || got[0].State() != trace.Closed || got[0].Reason() != trace.ByDeadline {
				t.Errorf("after the deadline: %v, want it closed by that", got)
			}
		})
	}
}

// All that was sent has arrived after the silence that the slowest exporter needs.
func TestSilentIn(t *testing.T) {
	const trigger = "followspan  POST  client  0..20ms  #trigger\n"
	for name, tt := range map[string]struct {
		sketch string
		want   time.Duration
	}{
		"nothing came":                          {"", 5500 * time.Millisecond},
		"nothing but a trigger":                 {trigger, 5500 * time.Millisecond},
		"spans":                                 {trigger + "  shop  order  0..10ms", 500 * time.Millisecond},
		"spans of somebody who exports late":    {"shop  order  0..10ms  at=1010ms", 2 * time.Second},
		"late ones and others":                  {"shop  order  0..10ms  at=1010ms\nstock  order  0..1010ms", 2 * time.Second},
		"spans by a clock that is an hour fast": {"shop  order  1h..1.1h  at=10ms", 5500 * time.Millisecond},
	} {
		p := storetest.New([]trace.Membership{{Flow: "f", Opens: trace.OpensByTrigger}}, store.Settings{})
		s := sketch.MustParse(tt.sketch)
		if own, ok := s.Labels["trigger"]; ok {
			if _, err := p.Store.Expect("f", own.TraceID(), own.ID()); err != nil {
				t.Fatal(err)
			}
		}
		p.Arrive(s.Arrivals...)
		if got := p.Store.SilentIn(); got != tt.want {
			t.Errorf("%s: silent in %v, want %v", name, got, tt.want)
		}
		p.Wait(tt.want - time.Millisecond)
		if got := p.Store.SilentIn(); got != time.Millisecond {
			t.Errorf("%s: 1ms before: silent in %v", name, got)
		}
		p.Wait(time.Minute)
		if got := p.Store.SilentIn(); got != 0 {
			t.Errorf("%s: long after: silent in %v", name, got)
		}
	}
}
