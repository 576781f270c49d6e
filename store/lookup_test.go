package store

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/followspan/followspan/trace"
)

// A lookup finds what a map of lists would, hashes that collide included.
func TestLookup(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	l, want := &lookup{}, map[uint64][]trace.Node{}
	for n := range trace.Node(20_000) {
		h := uint64(r.IntN(3))<<56 | uint64(r.IntN(900))*64
		switch known := want[h]; {
		case len(known) > 0 && r.IntN(3) > 0:
			gone := known[r.IntN(len(known))]
			l.remove(h, gone)
			want[h] = slices.DeleteFunc(slices.Clone(known), func(m trace.Node) bool { return m == gone })
			l.remove(h, n) // It is not there.
		default:
			l.add(h, n)
			want[h] = append(known, n)
		}
	}
	for h, nodes := range want {
		got := slices.Sorted(l.find(h))
		if slices.Sort(nodes); !slices.Equal(got, nodes) {
			t.Fatalf("hash %x: found %v, want %v", h, got, nodes)
		}
	}
}
