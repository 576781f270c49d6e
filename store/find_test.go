package store_test

import (
	"errors"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/store/storetest"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

// What was taken can be found at once, by its trace, the newest first.
func TestFindTraces(t *testing.T) {
	st := store.New(nil, store.Settings{})
	if ids := st.TraceIDs(); len(ids) != 0 {
		t.Errorf("an empty store has the traces %v", ids)
	}
	s := sketch.MustParse(`
shop  order  0..10ms   #order  at=10ms
  db  query  20..30ms  at=40ms
cart  show   0..20ms   #cart   at=20ms`)
	for _, a := range s.Arrivals {
		if err := st.Consume(t.Context(), trace.Batch{Spans: []trace.Span{a.Span}}); err != nil {
			t.Fatal(err)
		}
	}
	order, cart := s.Labels["order"].TraceID(), s.Labels["cart"].TraceID()
	if diff := cmp.Diff([]trace.TraceID{cart, order}, st.TraceIDs()); diff != "" {
		t.Errorf("traces (-want +got):\n%s", diff)
	}
	var names []string
	for _, span := range st.Trace(order) {
		names = append(names, span.Name())
	}
	if diff := cmp.Diff([]string{"order", "query"}, names); diff != "" {
		t.Errorf("spans (-want +got):\n%s", diff)
	}
	if got := st.Trace(trace.TraceID{1}); got != nil {
		t.Errorf("an unknown trace has spans: %v", got)
	}
}

// Copies are counted by who sent them.
func TestCopiesBy(t *testing.T) {
	st := store.New(nil, store.Settings{})
	for _, span := range sketch.MustParse(`
shop  order  0..10ms
copy  at=20ms
copy  at=30ms
cart  show   0..10ms`).Spans() {
		if err := st.Consume(t.Context(), trace.Batch{Spans: []trace.Span{span}}); err != nil {
			t.Fatal(err)
		}
	}
	if got := st.Stats(); got.Copies != 2 || !maps.Equal(got.CopiesBy, map[string]int{"/shop/shop-1": 2}) {
		t.Errorf("%d copies, by %v; want 2 of /shop/shop-1", got.Copies, got.CopiesBy)
	}
}

// What was received is counted by service, in flows or not.
func TestWhatWasReceived(t *testing.T) {
	p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order"), Scope: trace.ScopeSubtree}}, store.Settings{})
	p.Arrive(sketch.MustParse("test  suite  internal  0..100ms\n  shop  order  10..50ms\n    shop  query  internal  11..20ms").Arrivals...)
	p.Arrive(sketch.MustParse("test  suite  internal  0..100ms\nmail  poll  internal  200..300ms").Arrivals[1])
	got := p.Store.Stats()
	if want := map[string]int{"test": 1, "shop": 2, "mail": 1}; !maps.Equal(got.Services, want) {
		t.Errorf("services %v, want %v", got.Services, want)
	}
	if want := map[string]int{"test": 1, "mail": 1}; !maps.Equal(got.Unjoined, want) {
		t.Errorf("in no flow are %v, want %v", got.Unjoined, want)
	}
	if got.Spans != 4 || got.Requests != 2 || got.Traces != 2 || got.Instances != 1 {
		t.Errorf("%d spans in %d requests, of %d traces, %d flows; want 4, 2, 2 and 1", got.Spans, got.Requests, got.Traces, got.Instances)
	}
}

// A recording that has ended takes no more; live spans may still come.
func TestWhatComesAfterTheEnd(t *testing.T) {
	for recorded, want := range map[bool]error{true: store.ErrClosed, false: nil} {
		p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{Recorded: recorded})
		all := sketch.MustParse("shop  order  0..50ms\n  shop  query  internal  1..20ms").Arrivals
		p.Arrive(all[0])
		p.Close(trace.ByEndOfRun)
		if err := p.Store.Consume(t.Context(), trace.Batch{Spans: []trace.Span{all[1].Span}}); !errors.Is(err, want) {
			t.Errorf("recorded %v: error %v, want %v", recorded, err, want)
		}
	}
}
