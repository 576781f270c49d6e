package store

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/followspan/followspan/trace"
)

// Strays are in the order of their starts, however they come, and those that joined a
// flow go.
func TestStraysAreInOrder(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		g := trace.NewGraph()
		var b trace.Builder
		var l strays
		var want []stray
		grown := int64(0)
		for range 3000 {
			b.Add(&trace.SpanData{Name: "stray"})
			n := g.Add(b.Commit()[0], 1)
			start := trace.Time(r.IntN(500))
			if seed%2 == 0 {
				start += trace.Time(n) // nearly in order
			}
			grown += l.add(g.View(), n, start)
			want = append(want, stray{start, n})
			if r.IntN(3) == 0 {
				gone := r.IntN(len(want))
				g.Evict(want[gone].node)
				want = slices.Delete(want, gone, gone+1)
			}
		}
		slices.SortStableFunc(want, func(a, b stray) int { return int(a.start) - int(b.start) })
		for _, from := range []trace.Time{0, 1, 100, 2000, 9000} {
			var got []stray
			for one := range l.since(from) {
				if !joined(g.View(), one.node) {
					got = append(got, one)
				}
			}
			left := slices.DeleteFunc(slices.Clone(want), func(s stray) bool { return s.start < from })
			if !slices.Equal(got, left) {
				t.Fatalf("seed %d: since %d: %d strays, want %d: in another order, or others", seed, from, len(got), len(left))
			}
		}
		if grown != l.bytes() {
			t.Errorf("seed %d: it says that it grew by %d bytes, and has %d", seed, grown, l.bytes())
		}
		for len(want) > 0 {
			top := want[len(want)-1]
			if got, ok := l.last(g.View()); !ok || got != top || !l.endsWith(top.node) {
				t.Fatalf("seed %d: the last is %v, want %v", seed, got, top)
			}
			g.Evict(top.node)
			want = want[:len(want)-1]
		}
		if _, ok := l.last(g.View()); ok {
			t.Errorf("seed %d: something is left", seed)
		}
	}
}
