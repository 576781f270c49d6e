package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

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
