package trace_test

import (
	"encoding/binary"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/followspan/followspan/trace"
)

// family is a graph of traces that each have a root and some children, whose ids
// are the numbers of their nodes.
type family struct {
	graph   *trace.Graph
	builder trace.Builder
	of      int // children of each root
}

func newFamily(children int) *family { return &family{graph: trace.NewGraph(), of: children} }

// add appends one trace and returns its nodes, the root first.
func (f *family) add() []trace.Node {
	root := f.graph.Len()
	for i := range f.of + 1 {
		f.builder.Add(f.span(trace.Node(root + i)))
	}
	var nodes []trace.Node
	for _, s := range f.builder.Commit() {
		n := f.graph.Add(s, trace.Time(f.graph.Len()+1))
		if nodes = append(nodes, n); len(nodes) > 1 {
			f.graph.SetParent(n, nodes[0])
		}
	}
	return nodes
}

func (f *family) span(n trace.Node) *trace.SpanData {
	d := trace.SpanData{Name: fmt.Sprint("span ", n), Attrs: []trace.Attr{{Key: "number", Value: trace.IntValue(int64(n))}}}
	root := int(n) / (f.of + 1) * (f.of + 1)
	binary.BigEndian.PutUint64(d.TraceID[:], uint64(root+1))
	binary.BigEndian.PutUint64(d.ID[:], uint64(n+1))
	if int(n) != root {
		binary.BigEndian.PutUint64(d.Parent[:], uint64(root+1))
	}
	return &d
}

func numberOf(s trace.Span) trace.Node {
	id := s.ID()
	return trace.Node(binary.BigEndian.Uint64(id[:])) - 1
}

func TestAnEvictedSpanSaysNothing(t *testing.T) {
	f := newFamily(3)
	nodes := f.add()
	other := f.add()
	f.graph.Connect(nodes[1], other[0], trace.ByLink)
	w := f.graph.OpenFlow(trace.FlowRecord{ID: "f"})
	w.Join(nodes[1], trace.ByOrigin)
	v, flow := f.graph.View(), w.Freeze(trace.FlowState{Origin: nodes[1], Trigger: trace.None})
	held := v.Span(nodes[1])

	f.graph.Evict(nodes[1])
	f.graph.Evict(nodes[1]) // Nothing is left to evict.
	s := v.Span(nodes[1])
	if !s.Evicted() || !v.Evicted(nodes[1]) || held.Evicted() {
		t.Errorf("the span is evicted: %v, its node: %v, what was held of it: %v", s.Evicted(), v.Evicted(nodes[1]), held.Evicted())
	}
	if diff := cmp.Diff(described{}, describe(s), exactly); diff != "" {
		t.Errorf("it says something (-want +got)\n%s", diff)
	}
	if got := describe(held).Span.Name; got != "span 1" {
		t.Errorf("what was held of it is named %q", got)
	}
	if got, want := slices.Collect(v.Children(nodes[0])), []trace.Node{nodes[3], nodes[2]}; !slices.Equal(got, want) || !v.Torn(nodes[0]) {
		t.Errorf("children of its parent: %v, torn %v, want %v", got, v.Torn(nodes[0]), want)
	}
	if got, want := slices.Collect(v.Trace(nodes[2])), []trace.Node{0, 2, 3}; !slices.Equal(got, want) || !v.TraceTorn(nodes[2]) {
		t.Errorf("its trace: %v, torn %v, want %v", got, v.TraceTorn(nodes[2]), want)
	}
	for cause := range v.Causes(other[0]) {
		if !v.Evicted(cause) {
			t.Errorf("what links to it finds %v", cause)
		}
	}
	if v.Torn(other[0]) || v.TraceTorn(other[0]) {
		t.Error("another trace is torn")
	}
	if flow.Contains(nodes[1]) || flow.Member(0) != nodes[1] {
		t.Error("the flow has another member, or none")
	}
}

// What is given back is what was taken, whichever spans go first.
func TestEvictingGivesMemoryBack(t *testing.T) {
	// Records go by the chunk, so those of spans here and there stay.
	for order, most := range map[string]float64{"oldest first": 0.25, "newest first": 0.25, "shuffled": 0.6} {
		t.Run(order, func(t *testing.T) {
			f := newFamily(9)
			empty := f.graph.Bytes()
			var all []trace.Node
			for range 3000 {
				all = append(all, f.add()...)
			}
			// The block that is being filled stays.
			filling := f.graph.View().Span(all[len(all)-1]).Block().Size()
			full := f.graph.Bytes() - filling
			switch order {
			case "newest first":
				slices.Reverse(all)
			case "shuffled":
				rand.New(rand.NewPCG(1, 2)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			}
			for i, n := range all[:len(all)*9/10] {
				if f.graph.Evict(n); i%100 == 0 {
					f.graph.Compact()
				}
			}
			f.graph.Compact()
			v := f.graph.View()
			for _, n := range all[len(all)*9/10:] {
				if diff := cmp.Diff(*f.span(n), describe(v.Span(n)).Span, exactly); diff != "" {
					t.Fatalf("node %d, which was not evicted (-want +got)\n%s", n, diff)
				}
			}
			if got := f.graph.Bytes() - filling; float64(got) > most*float64(full) {
				t.Errorf("%d bytes are held for a tenth of the spans, all took %d", got, full)
			}
			for _, n := range all[len(all)*9/10:] {
				f.graph.Evict(n)
			}
			f.graph.Compact()
			if got := f.graph.Bytes() - filling - empty; got > full/10 {
				t.Errorf("%d bytes are held for no span, all took %d", got, full)
			}
		})
	}
}

func TestRewritingKeepsEverything(t *testing.T) {
	g := trace.NewGraph()
	var w trace.Builder
	want := newMaker(3).spans(2000)
	for i, d := range want {
		add(&w, d)
		g.Add(w.Commit()[0], trace.Time(i))
	}
	for n := range trace.Node(2000) {
		if n%5 != 0 {
			g.Evict(n)
		}
	}
	before := g.View().Span(0).Block()
	g.Compact()
	if g.View().Span(0).Block() == before {
		t.Fatal("the block of which a fifth is left was not rewritten")
	}
	for n := trace.Node(0); n < 2000; n += 5 {
		wantDescribed(t, []trace.Span{g.View().Span(n)}, want[n:n+1])
	}
}

// A reader stands in a list while what comes next is evicted, records and all.
func TestAWalkGoesOnBehindWhatIsEvicted(t *testing.T) {
	const children, from, upto = 5000, 1024, 3072 // two chunks of records
	walks := map[string]func(v trace.View) iter.Seq[trace.Node]{
		"children": func(v trace.View) iter.Seq[trace.Node] { return v.Children(0) },
		"trace":    func(v trace.View) iter.Seq[trace.Node] { return v.Trace(0) },
	}
	for name, walk := range walks {
		// Evicted when the reader is far before it, right before it, within it and behind it.
		for _, at := range []trace.Node{10, from - 1, upto, 2000, 4900} {
			t.Run(fmt.Sprint(name, " at ", at), func(t *testing.T) {
				f := newFamily(children)
				f.add()
				got := map[trace.Node]int{}
				for n := range walk(f.graph.View()) {
					got[n]++
					if n != at {
						continue
					}
					// Those in front of the reader go last.
					for i := range upto - from {
						m := trace.Node(from + i)
						if name == "children" {
							m = trace.Node(upto - 1 - i)
						}
						f.graph.Evict(m)
					}
					f.graph.Compact()
				}
				for n := trace.Node(1); n <= children; n++ {
					if got[n] > 1 || got[n] == 0 && (n < from || n >= upto) {
						t.Fatalf("node %d was met %d times", n, got[n])
					}
				}
			})
		}
	}
}

// Readers walk views of any age while spans come and go. What they find is either
// evicted or what was added; and nothing is missing that is not said to be.
func TestReadersBesideEviction(t *testing.T) {
	const traces, kept = 3000, 40
	f := newFamily(20)
	var view atomic.Pointer[trace.View]
	publish := func() {
		v := f.graph.View()
		view.Store(&v)
	}
	f.add()
	publish()
	var done atomic.Bool
	var wg sync.WaitGroup
	for seed := range 4 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(seed), 1))
			for !done.Load() {
				v := view.Load()
				for range 200 {
					f.check(t, v, r)
				}
			}
		})
	}
	r := rand.New(rand.NewPCG(9, 9))
	var young, old [][]trace.Node
	for i := range traces {
		nodes := f.add()
		if i%50 == 0 { // long-lived, but loses its children one by one
			old = append(old, nodes)
		} else {
			young = append(young, nodes)
		}
		if len(young) > kept {
			for _, n := range young[0] {
				f.graph.Evict(n)
			}
			young = young[1:]
		}
		if o := old[r.IntN(len(old))]; len(o) > 2 {
			f.graph.Evict(o[1+r.IntN(len(o)-1)])
		}
		f.graph.Compact()
		publish()
	}
	done.Store(true)
	wg.Wait()
}

func (f *family) check(t *testing.T, v *trace.View, r *rand.Rand) {
	n := trace.Node(r.IntN(v.Received()))
	if s := v.Span(n); !s.Evicted() && numberOf(s) != n {
		t.Errorf("node %d is span %d", n, numberOf(s))
	}
	root := n - n%trace.Node(f.of+1)
	children := slices.Collect(v.Children(root))
	if len(children) != f.of && !v.Torn(root) {
		t.Errorf("root %d has the children %v and is not torn", root, children)
	}
	whole := slices.Collect(v.Trace(n))
	if len(whole) != f.of+1 && !v.TraceTorn(n) {
		t.Errorf("the trace of %d is %v and is not torn", n, whole)
	}
	for _, c := range append(children, whole...) {
		if c < root || c > root+trace.Node(f.of) {
			t.Errorf("root %d leads to %d", root, c)
		}
	}
	if !slices.IsSorted(whole) || !slices.IsSortedFunc(children, func(a, b trace.Node) int { return int(b - a) }) {
		t.Errorf("root %d: children %v, trace %v: something stands there twice", root, children, whole)
	}
}
