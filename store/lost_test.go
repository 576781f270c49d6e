package store_test

import (
	"fmt"
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

// What SDKs say they dropped is a loss to the flows of the span, wherever they say it.
func TestWhatAnSDKDropped(t *testing.T) {
	type parts struct {
		span     trace.SpanData
		resource trace.ResourceData
		scope    trace.ScopeData
	}
	for want, p := range map[string]parts{
		"attributes dropped by the SDK (1)": {span: trace.SpanData{DroppedAttrs: 1}},
		"events dropped by the SDK (2)":     {span: trace.SpanData{DroppedEvents: 2}},
		"links dropped by the SDK (3)":      {span: trace.SpanData{DroppedLinks: 3}},
		"attributes dropped by the SDK (4)": {span: trace.SpanData{Events: []trace.EventData{{Dropped: 4}}}},
		"attributes dropped by the SDK (5)": {span: trace.SpanData{Links: []trace.LinkData{{TraceID: trace.TraceID{9}, Dropped: 5}}}},
		"attributes dropped by the SDK (6)": {resource: trace.ResourceData{Dropped: 6}},
		"attributes dropped by the SDK (7)": {scope: trace.ScopeData{Dropped: 7}},
		"":                                  {},
	} {
		p.span.TraceID, p.span.ID, p.span.Name = trace.TraceID{1}, trace.SpanID{1}, "order"
		var w trace.Builder
		w.SetResource(p.resource)
		w.SetScope(p.scope)
		w.Add(&p.span)
		player := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{})
		player.Arrive(sketch.Arrival{Span: w.Commit()[0], At: sketch.Base})
		got := ""
		for _, l := range player.Close(trace.ByEndOfRecording)[0].Losses() {
			got += fmt.Sprintf("%s (%d)", l.What, l.Count)
		}
		if got != want {
			t.Errorf("losses %q, want %q", got, want)
		}
	}
}

// What was refused for good is a loss to the flows that were under way.
func TestRefusedDataIsALossToOpenFlows(t *testing.T) {
	refused := trace.Batch{Refused: []trace.Refusal{{Service: "stock", Reason: "span id is all zero", Spans: 2}}}
	tests := []struct {
		name, sketch string
		at           time.Duration
		want         int
	}{
		{"before its origin arrived", "shop  order  0..50ms", 0, 1},
		{"while it was open", "shop  order  0..5ms", 30 * time.Millisecond, 1},
		{"before it began, on a clock that may be ahead", "shop  order  500..505ms", 0, 1},
		{"before it began", "shop  order  1500..1505ms", 0, 0},
		{"while it was handled by somebody who exports late", "shop  order  15..18ms at=5s", 0, 1},
		{"while a child was handled, long before its origin arrived", "shop  order  200..900ms at=5s\n  stock  reserve  15..49ms at=50ms", 0, 1},
		{"after it had closed", "shop  order  0..5ms", time.Minute, 0},
		{"after it had closed, with a message that nobody read",
			"shop  order  0..5ms\n  shop  send  producer  1..2ms  messaging.system=nats messaging.destination.name=orders", time.Minute, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{})
			var f trace.Flow
			last := func(flows []trace.Flow) {
				for _, f = range flows {
				}
			}
			refused.Received = sketch.Base.Add(20 * time.Millisecond)
			if tt.at == 0 {
				_ = p.Store.Consume(t.Context(), refused)
			}
			for _, a := range sketch.MustParse(tt.sketch).Arrivals {
				last(p.Arrive(a))
			}
			if tt.at > 0 {
				last(p.Wait(tt.at / 2))
				refused.Received = sketch.Base.Add(tt.at)
				_ = p.Store.Consume(t.Context(), refused)
				last(p.Wait(tt.at / 2))
			}
			last(p.Close(trace.ByEndOfRun))
			if got := f.Losses(); len(got) != tt.want {
				t.Errorf("losses %v, want %d", got, tt.want)
			}
		})
	}
}

// A flow that has just closed hears of what is refused in the same moment, as when the
// system is stopped right after it.
func TestRefusedAtTheMomentOfClosing(t *testing.T) {
	p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{})
	p.Arrive(sketch.MustParse("shop  order  0..5ms").Arrivals...)
	p.Store.CloseFlow(p.Wait(time.Second)[0], trace.BySilence)
	_ = p.Store.Consume(t.Context(), trace.Batch{Received: sketch.Base.Add(1005 * time.Millisecond), Refused: []trace.Refusal{{Service: "stock", Reason: "span id is all zero", Spans: 1}}})
	if got := p.Close(trace.ByEndOfRun); len(got) != 1 || len(got[0].Losses()) != 1 {
		t.Errorf("handed out again: %v", got)
	}
}

// A flow to which more came after it had closed was still under way.
func TestRefusedWhileMoreCameToAClosedFlow(t *testing.T) {
	late := sketch.MustParse("shop  order  0..5ms\n  stock  reserve  2000..2005ms").Arrivals
	for _, before := range []bool{true, false} {
		p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{})
		p.Arrive(late[0])
		p.Store.CloseFlow(p.Wait(time.Second)[0], trace.BySilence)
		refuse := func(at time.Duration) {
			_ = p.Store.Consume(t.Context(), trace.Batch{Received: sketch.Base.Add(at), Refused: []trace.Refusal{{Service: "stock", Reason: "span id is all zero", Spans: 1}}})
		}
		want := 0
		if before {
			refuse(1500 * time.Millisecond)
			want = 1
		}
		flows := p.Arrive(late[1])
		if !before {
			refuse(2500 * time.Millisecond)
		}
		flows = append(flows, p.Close(trace.ByEndOfRun)...)
		if got := len(flows[len(flows)-1].Losses()); got != want {
			t.Errorf("refused before the last span came: %v; %d losses, want %d", before, got, want)
		}
	}
}

// Whose message it was that several flows sent with one id nobody can tell, unless a
// context does. Who takes it may begin a flow of its own, which misses nothing.
func TestConsumersOfAnIDThatSeveralFlowsUse(t *testing.T) {
	for context, want := range map[string]string{"": "one 1, one 1, taken 0, ", "link=#sent": "one 0, one 0, taken 0, "} {
		flows := storetest.Flows([]trace.Membership{{Flow: "one", Origin: named("order")}, {Flow: "taken", Origin: named("take")}}, sketch.MustParse(`
shop  order  0..50ms
  shop  send  producer  1..2ms  messaging.destination.name=orders messaging.message.id=1
shop  order  0..50ms
  shop  send  producer  3..4ms  #sent messaging.destination.name=orders messaging.message.id=1
mail  take  70..80ms  consumer  messaging.destination.name=orders messaging.message.id=1 `+context))
		slices.SortFunc(flows, func(a, b trace.Flow) int { return strings.Compare(a.Declaration, b.Declaration) })
		got := ""
		for _, f := range flows {
			got += fmt.Sprintf("%s %d, ", f.Declaration, len(f.Losses()))
		}
		if got != want {
			t.Errorf("with the context %q: losses %s want %s", context, got, want)
		}
	}
}

// Refusals are told apart by what they say, and by when they were, so that a flow counts
// those alone that were while it was under way.
func TestRefusalsAreToldApart(t *testing.T) {
	p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{})
	for _, r := range []struct {
		at       time.Duration
		service  string
		requests bool
	}{{0, "stock", false}, {5 * time.Second, "stock", false}, {5100 * time.Millisecond, "mail", false}, {5200 * time.Millisecond, "", true}, {5900 * time.Millisecond, "stock", false}} {
		refusal := trace.Refusal{Service: r.service, Reason: "span id is all zero", Spans: 2}
		if r.requests {
			refusal = trace.Refusal{Reason: "not protobuf"}
		}
		_ = p.Store.Consume(t.Context(), trace.Batch{Received: sketch.Base.Add(r.at), Refused: []trace.Refusal{refusal}})
	}
	f := p.Arrive(sketch.MustParse("shop  order  5000..6000ms").Arrivals...)[0]
	got := ""
	for _, l := range f.Losses() {
		got += fmt.Sprintf("%s (%d)\n", l.What, l.Count)
	}
	const want = `requests refused: not protobuf (1)
spans of mail refused: span id is all zero (2)
spans of stock refused: span id is all zero (4)
`
	if diff := cmp.Diff(want, got); diff != "" || p.Store.Stats().Lost != 9 {
		t.Errorf("losses (-want +got)\n%s%d are lost in all, want 9", diff, p.Store.Stats().Lost)
	}
}

// However many kinds of refusals there are, none goes uncounted.
func TestRefusalsOfVeryManyKinds(t *testing.T) {
	p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{})
	const kinds = 1000
	for i := range kinds {
		_ = p.Store.Consume(t.Context(), trace.Batch{Received: sketch.Base, Refused: []trace.Refusal{{Service: fmt.Sprint("stock ", i), Reason: "span id is all zero", Spans: 1}}})
	}
	f, count := p.Arrive(sketch.MustParse("shop  order  0..50ms").Arrivals...)[0], 0
	for _, l := range f.Losses() {
		count += l.Count
	}
	if rows := len(f.Losses()); count != kinds || rows > 300 {
		t.Errorf("%d losses in %d rows, want %d in few", count, rows, kinds)
	}
}

// A flow is under way since its first span started, or for a session always.
func TestRefusedBeforeTheFirstSpanCame(t *testing.T) {
	for name, tt := range map[string]struct {
		m      trace.Membership
		sketch string
		want   int
	}{
		"while it was handled":         {trace.Membership{Opens: trace.OpensByTrace}, "shop  order  0..50ms", 1},
		"before it was handled":        {trace.Membership{Opens: trace.OpensByTrace}, "shop  order  30..50ms", 0},
		"long before a session's span": {trace.Membership{Opens: trace.OpensBySession}, "shop  order  20s..21s", 1},
	} {
		tt.m.Flow = "f"
		p := storetest.New([]trace.Membership{tt.m}, store.Settings{})
		_ = p.Store.Consume(t.Context(), trace.Batch{Received: sketch.Base.Add(20 * time.Millisecond), Refused: []trace.Refusal{{Reason: "not protobuf"}}})
		if f := p.Arrive(sketch.MustParse(tt.sketch).Arrivals...)[0]; len(f.Losses()) != tt.want {
			t.Errorf("%s: losses %v, want %d", name, f.Losses(), tt.want)
		}
	}
}

// A recording that cannot be read to its end is a loss, whatever is missing of it.
func TestWhatARecordingLacks(t *testing.T) {
	p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{Recorded: true})
	p.Arrive(sketch.MustParse("shop  order  0..50ms").Arrivals...)
	_ = p.Store.Consume(t.Context(), trace.Batch{Received: sketch.Base, Refused: []trace.Refusal{{Reason: "a line is not JSON"}, {Reason: "spans without an id", Spans: 3}}})
	p.Store.CutOff()
	got := map[string]int{}
	for _, l := range p.Close(trace.ByEndOfRecording)[0].Losses() {
		got[l.What] = l.Count
	}
	want := map[string]int{"a line is not JSON": 1, "spans without an id": 3, "what stood behind the place where the recording of the run was cut off": 1}
	if diff := cmp.Diff(want, got); diff != "" || p.Store.Stats().Lost != 5 {
		t.Errorf("losses (-want +got)\n%s%d are lost in all, want 5", diff, p.Store.Stats().Lost)
	}
}
