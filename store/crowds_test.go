package store

import (
	"slices"
	"testing"

	"github.com/followspan/followspan/trace"
)

func TestCrowds(t *testing.T) {
	const nodes = 1000
	g := trace.NewGraph()
	var w trace.Builder
	c := newCrowds[int]()
	for i := range nodes {
		w.Add(&trace.SpanData{ID: trace.SpanID{byte(i), byte(i >> 8)}})
		c.add(i%2, g.Add(w.Commit()[0], 0))
	}
	for n := trace.Node(0); n < nodes-2; n++ {
		c.remove(g.View(), int(n)%2, n)
		c.remove(g.View(), 1-int(n)%2, n) // is not there
		g.Evict(n)
	}
	left := slices.DeleteFunc(slices.Clone(c.of(0)), g.View().Evicted)
	if want := []trace.Node{nodes - 2}; !slices.Equal(left, want) {
		t.Errorf("left are %v, want %v", left, want)
	}
	if most := 2 * (2*2 + 8); c.nodes > most {
		t.Errorf("the lists have room for %d nodes, want no more than %d", c.nodes, most)
	}
	c.forget(0)
	c.remove(g.View(), 1, nodes-1)
	if c.nodes != 0 || len(c.by) != 0 {
		t.Errorf("empty lists have room for %d nodes, and there are %d", c.nodes, len(c.by))
	}
}
