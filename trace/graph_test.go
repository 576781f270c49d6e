package trace

import (
	"slices"
	"sync"
	"testing"
)

// numbered are spans of one trace without a parent.
func numbered(n int) []Span {
	var w Builder
	for i := range n {
		w.Add(&SpanData{TraceID: TraceID{1}, ID: SpanID{1, byte(i >> 8), byte(i)}})
	}
	return w.Commit()
}

func childrenOf(v View, n Node) (out []Node) {
	for c := range v.Children(n) {
		out = append(out, c)
	}
	return out
}

func TestAChildMoves(t *testing.T) {
	g := NewGraph()
	for _, s := range numbered(6) {
		g.Add(s, 1)
	}
	for c := Node(2); c < 6; c++ {
		g.SetParent(c, 0)
	}
	g.SetParent(4, 1)
	g.SetParent(2, 1)
	g.SetParent(5, 1)
	v := g.View()
	if a, b := childrenOf(v, 0), childrenOf(v, 1); !slices.Equal(a, []Node{3}) || !slices.Equal(b, []Node{5, 4, 2}) {
		t.Errorf("children %v and %v, want 3 and 5 4 2", a, b)
	}
	if p, ok := v.Parent(4); !ok || p != 1 {
		t.Errorf("the parent of 4 is %v, %v", p, ok)
	}
}

// Whoever reads children while they move sees none twice, none of another parent, and
// all that stay.
func TestChildrenMoveWhileTheyAreRead(t *testing.T) {
	const n = 400
	g := NewGraph()
	for _, s := range numbered(n) {
		g.Add(s, 1)
	}
	for c := Node(2); c < n; c++ {
		g.SetParent(c, 0)
	}
	v, stop := g.View(), make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				stay, last := 0, Node(n)
				for c := range v.Children(0) {
					if c >= last {
						t.Errorf("%d comes after %d", c, last)
					}
					if last = c; c%2 == 0 {
						stay++
					}
				}
				if stay != n/2-1 {
					t.Errorf("%d of those that stay, want %d", stay, n/2-1)
					return
				}
			}
		})
	}
	for range 20 {
		for _, to := range []Node{1, 0} {
			for c := Node(3); c < n; c += 2 {
				g.SetParent(c, to)
			}
		}
	}
	close(stop)
	readers.Wait()
}
