package report

import (
	"fmt"
	"strings"
	"testing"

	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

func treeOf(t *testing.T, f trace.Flow, s TextSettings) string {
	t.Helper()
	var b strings.Builder
	if err := Tree(&b, f, s); err != nil {
		t.Fatalf("Tree: %v", err)
	}
	return b.String()
}

func TestTree(t *testing.T) {
	var b strings.Builder
	add := func(name string, f trace.Flow, s TextSettings) {
		fmt.Fprintf(&b, "=== %s\n%s\n", name, treeOf(t, f, s))
	}
	add("no flow", trace.Flow{}, TextSettings{})
	add("a copy, an error", newWorld(`
a   root  server  0..100ms
  b   work    server  10..20ms
  copy at=30ms
c   first   server  40..50ms  #c trace=#d error="no\nstock"
d   second  server  30..35ms  #d
`, trace.FlowState{}).flow, TextSettings{})
	add("links in a circle", newWorld(`
a   root  server  0..100ms
b   one   consumer  10..20ms  #b link=#c
  b   inner  internal  11..12ms
c   two   consumer  30..40ms  #c link=#b
`, trace.FlowState{}).flow, TextSettings{})
	add("two causes: the first", newWorld(`
a   root  server  0..100ms
  a   send 2  producer  20..21ms  #two
  a   send 1  producer  10..11ms  #one
b   batch   consumer  30..40ms  link=#two link=#one
`, trace.FlowState{}).flow, TextSettings{})
	add("two orphans of one parent", orphans(), TextSettings{})
	add("nothing arrived", emptyFlow(), TextSettings{})
	add("deeper than the page", chain(60), TextSettings{})
	golden(t, "tree.txt", b.String())
}

func TestTreeOrphans(t *testing.T) {
	w := newWorld(`
a   root    server  0..100ms   #a
b   first   server  40..50ms   parent=missing trace=#a
  b   below  internal  41..42ms
c   cut     server  60..70ms   parent=missing trace=#a
`, trace.FlowState{})
	golden(t, "orphans.txt", treeOf(t, w.flow, TextSettings{}))
}

// orphans is a flow in which a span and two more name parents that never arrived.
func orphans() trace.Flow {
	var b trace.Builder
	var state trace.FlowState
	g := trace.NewGraph()
	w := g.OpenFlow(trace.FlowRecord{ID: "1", Declaration: "checkout", TraceID: trace.TraceID{1}})
	for i, parent := range []byte{0, 8, 9, 8} {
		b.SetResource(trace.ResourceData{})
		b.Add(&trace.SpanData{TraceID: trace.TraceID{1}, ID: trace.SpanID{byte(i + 1)}, Parent: trace.SpanID{parent}, Start: trace.Time(1000 + i), End: trace.Time(3000 + i)})
		n := g.Add(b.Commit()[0], 0)
		w.Join(n, trace.ByTrace)
		if parent != 0 {
			state.Edges = append(state.Edges, trace.OpenEdge{Kind: trace.WaitsForParent, Node: n, Missing: trace.SpanID{parent}})
		}
	}
	state.Trigger = trace.None
	return w.Freeze(state)
}

// emptyFlow is one whose trigger happened and of which nothing arrived.
func emptyFlow() trace.Flow {
	w := trace.NewGraph().OpenFlow(trace.FlowRecord{ID: "1", Declaration: "checkout", Started: sketch.Base, Triggered: true})
	return w.Freeze(trace.FlowState{State: trace.Closed, Reason: trace.ByDeadline, Now: sketch.Base.Add(3e9), Origin: trace.None, Trigger: trace.None,
		Edges: []trace.OpenEdge{{Kind: trace.WaitsForOrigin, Node: trace.None}}})
}

// chain is a flow in which each span has one child.
func chain(n int) trace.Flow {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%ss  step %d  %d..%dms\n", strings.Repeat(" ", i), i, i, 2*n-i)
	}
	return newWorld(b.String(), trace.FlowState{}).flow
}

// Every span of a flow is drawn exactly once, whatever its edges are.
func TestTreeIsComplete(t *testing.T) {
	for name, f := range map[string]trace.Flow{"chain": chain(2000), "big": bigWorld(800).flow} {
		out := treeOf(t, f, TextSettings{Verbose: true})
		if got, want := strings.Count(out, "\n"), f.Len()+2; got != want {
			t.Errorf("%s: the tree has %d lines, want %d: a heading of two and one for each span", name, got, want)
		}
		for i, l := range strings.Split(treeOf(t, f, TextSettings{}), "\n") {
			if i > treeLines+2 {
				t.Errorf("%s: line %d is one too many: %s", name, i, l)
			}
		}
	}
}
