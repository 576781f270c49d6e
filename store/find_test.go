package store_test

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/followspan/followspan/store"
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
