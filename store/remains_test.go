package store_test

import (
	"testing"

	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
)

// Spans that come when their flow is gone are told of; a copy of its origin does
// not begin it again.
func TestALateSpanOfAnEvictedFlow(t *testing.T) {
	perValue := trace.Membership{Flow: "f", Opens: trace.OpensByKey, Origin: func(trace.Span) bool { return true }, Scope: trace.ScopeValue,
		Per: func(s trace.Span) (string, bool) { return s.TraceID().String()[:8], true }}
	for name, m := range map[string]trace.Membership{
		"of a trace": ordinary, "of every trace": {Flow: "f", Opens: trace.OpensByTrace}, "of a value": perValue,
	} {
		t.Run(name, func(t *testing.T) {
			x := newTraffic(t, store.Settings{}, m)
			for n := 1; n == 1 || !x.flow(1).Evicted(); n++ {
				if err := x.send(n, 1, 20); err != nil {
					t.Fatal(err)
				}
				x.finish(n)
			}
			before := x.store.Stats()
			for _, i := range []int{1, 21} {
				if err := x.send(1, i, i); err != nil {
					t.Fatal(err)
				}
			}
			changed := x.look()
			if len(changed) != 1 || !changed[0].Evicted() || changed[0].Remains().Late != 2 {
				t.Errorf("handed out: %v, want the evicted flow with 2 late spans", changed)
			}
			if after := x.store.Stats(); after.Late != 2 || after.Instances != before.Instances {
				t.Errorf("%d late spans, %d new instances; want 2 and none", after.Late, after.Instances-before.Instances)
			}
		})
	}
}

// Spans of other traces that a flow would have had count as well: those that link to
// it, and those below a member of a trace that several flows share, once nobody can
// bring the member any more.
func TestWhatAnEvictedFlowMisses(t *testing.T) {
	tests := []struct {
		name string
		span func(x *traffic) *trace.SpanData
		late int // once the span came, and once the store was closed
		end  int
	}{
		{"a link to it", func(x *traffic) *trace.SpanData {
			d := x.span(100_000, 2)
			d.Parent = trace.SpanID{}
			d.Links = []trace.LinkData{{TraceID: traceID(1), SpanID: x.span(1, 5).ID}}
			return d
		}, 1, 1},
		{"a link to another", func(x *traffic) *trace.SpanData {
			d := x.span(100_000, 2)
			d.Parent = trace.SpanID{}
			d.Links = []trace.LinkData{{TraceID: traceID(99_999), SpanID: x.span(1, 5).ID}}
			return d
		}, 0, 0},
		{"a child in a trace that it shares", func(x *traffic) *trace.SpanData {
			d := x.span(1, 21)
			d.Parent = x.span(1, 5).ID
			d.Name = "late"
			return d
		}, 0, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := ordinary
			if tt.late != tt.end {
				m.Scope = trace.ScopeSubtree
			}
			x := newTraffic(t, store.Settings{}, m)
			for n := 1; n == 1 || !x.flow(1).Evicted(); n++ {
				if err := x.send(n, 1, 20); err != nil {
					t.Fatal(err)
				}
				x.finish(n)
			}
			x.builder.Add(tt.span(x))
			if err := x.store.Consume(x.done, trace.Batch{Spans: x.builder.Commit()}); err != nil {
				t.Fatal(err)
			}
			if got := x.flow(1).Remains().Late; got != tt.late {
				t.Errorf("%d spans came late, want %d", got, tt.late)
			}
			x.store.Close(trace.ByEndOfRun)
			if got := x.flow(1).Remains().Late; got != tt.end {
				t.Errorf("in the end %d spans came late, want %d", got, tt.end)
			}
		})
	}
}

// Flows that share a trace miss nothing because one of them made room, whose caller sends
// no spans: neither that one itself, nor another one that the run began, nor is what it
// had a stray of its process.
func TestAnEvictedFlowIsMissedByNobody(t *testing.T) {
	run, missing := trace.SpanID{7}, trace.SpanID{8}
	for name, caller := range map[string]trace.SpanID{"the run": run, "somebody": missing} {
		t.Run(name, func(t *testing.T) {
			m := ordinary
			m.Scope = trace.ScopeSubtree
			x := newTraffic(t, store.Settings{RunTrace: traceID(0), RunSpan: run}, m)
			send := func(n int) trace.Flow {
				for i := 1; i <= 20; i++ {
					d := x.span(n, i)
					if d.TraceID = traceID(0); i == 1 {
						d.Parent = caller
					}
					x.builder.Add(d)
				}
				if err := x.store.Consume(x.done, trace.Batch{Spans: x.builder.Commit()}); err != nil {
					t.Fatal(err)
				}
				changed := x.look()
				return changed[len(changed)-1]
			}
			first := send(1)
			x.store.CloseFlow(first, trace.ByVerdicts)
			x.store.Release(first)
			open, last := send(2), first
			for n := 3; !first.Evicted() || n < 1000; n++ {
				last = send(n)
				x.store.CloseFlow(last, trace.ByVerdicts)
				x.store.Release(last)
			}
			if l := last.Losses(); caller == run && len(l) != 0 {
				t.Errorf("the last flow has the losses %v", l)
			}
			x.store.Close(trace.ByEndOfRun)
			for _, f := range x.look() {
				if f.ID == first.ID {
					first = f
				}
				if f.ID == open.ID {
					open = f
				}
			}
			if late := first.Remains().Late; late != 0 {
				t.Errorf("%d spans came late for the first flow", late)
			}
			for _, mark := range open.Marks() {
				if mark.Stray != "" {
					t.Errorf("%s may be of the flow that was open", mark.Stray)
				}
			}
		})
	}
}

// A flow that turns out to have caused others misses what these had.
func TestAFlowAboveOneThatMadeRoom(t *testing.T) {
	m, suite := ordinary, trace.Membership{Flow: "suite", Origin: named("suite"), Scope: trace.ScopeSubtree}
	m.Scope = trace.ScopeSubtree
	x := newTraffic(t, store.Settings{}, m, suite)
	above := x.span(1, 30)
	above.Name, above.Parent = "suite", trace.SpanID{}
	for i := 1; i <= 20; i++ {
		d := x.span(1, i)
		if i == 1 {
			d.Parent = above.ID
		}
		x.builder.Add(d)
	}
	if err := x.store.Consume(x.done, trace.Batch{Spans: x.builder.Commit()}); err != nil {
		t.Fatal(err)
	}
	x.finish(1)
	for n := 2; !x.flow(1).Evicted(); n++ {
		if err := x.send(n, 1, 20); err != nil {
			t.Fatal(err)
		}
		x.finish(n)
	}
	x.builder.Add(above)
	if err := x.store.Consume(x.done, trace.Batch{Spans: x.builder.Commit()}); err != nil {
		t.Fatal(err)
	}
	for _, f := range x.look() {
		if l := f.Losses(); f.Declaration == "suite" && (len(l) != 1 || l[0].Count != 20) {
			t.Errorf("losses %v, want the 20 spans that made room", l)
		}
	}
}
