package lang

import (
	"slices"
	"testing"

	"github.com/followspan/followspan/trace"
)

// Whichever span is evicted, no answer becomes another one: it stays as it was, or
// is not known any more. That it is an order of two clocks does not matter here.
func TestAnEvictedSpanChangesNoAnswer(t *testing.T) {
	whole := worldFrame(t)
	uncertain := 0
	for gone := range trace.Node(whole.View.Received()) {
		f, g := worldAndGraph(t)
		name := f.span(gone).Name()
		g.Evict(gone)
		for _, row := range evaluations {
			e, _ := Compile(row.source, worldScope)
			want, got := e.Value(whole), e.Value(f)
			switch {
			case got.kind == Unknown && got.Doubt() == madeRoom:
				uncertain++
			case got.kind != want.kind || !sameAnswer(whole, f, want, got):
				t.Errorf("%s without %s: %s, want %s or that it is not known", row.source, name, f.Show(got), whole.Show(want))
			}
		}
	}
	if uncertain < len(evaluations) {
		t.Errorf("only %d answers are not known", uncertain)
	}
}

func sameAnswer(before, after *Frame, a, b Value) bool {
	if a.kind == Span || a.kind == Set {
		return slices.Equal(a.Nodes(), b.Nodes())
	}
	return before.Show(a) == after.Show(b)
}

// What a closure said of a span before it was evicted is remembered; what it could
// not say any more is not taken for a no.
func TestATallyKnowsWhatWasEvicted(t *testing.T) {
	for _, source := range []string{`all(spans, .service != "mars")`, `none(spans, .service == "mars")`, `count(spans, .service == "shop") <= 4`} {
		e, found := CompileBool(source, worldScope)
		if e == nil || len(found) > 0 {
			t.Fatal(found)
		}
		f, g := worldAndGraph(t)
		all := f.Sets[0].Nodes
		f.Sets[0] = SetState{Nodes: all[:3], Joined: all[:3]}
		f.Tallies = make([]Tally, e.Program().Tallies)
		if v := e.Value(f); !v.True() {
			t.Fatalf("%s of the first spans: %s", source, f.Show(v))
		}
		g.Evict(all[0])
		if v := e.Value(f); !v.True() {
			t.Errorf("%s when a span was evicted that had been asked: %s, want true", source, f.Show(v))
		}
		g.Evict(all[4])
		f.Sets[0] = SetState{Nodes: all, Joined: all}
		for range 2 {
			if v := e.Value(f); v.kind != Unknown || v.Doubt() != madeRoom {
				t.Errorf("%s when a span was evicted before it was asked: %s, want that it is not known", source, f.Show(v))
			}
		}
	}
}
