package trace_test

import (
	"testing"

	"github.com/followspan/followspan/trace"
)

// A span that lacks a time, or ends before it starts, is ordered by causality alone,
// and neither contradicts others nor says anything of the clocks of hosts.
func TestUntimedSpansOrderNothing(t *testing.T) {
	for name, times := range map[string][2]trace.Time{"no time": {}, "no start": {0, 5000}, "no end": {5000, 0}, "an end before the start": {5000, 3000}} {
		t.Run(name, func(t *testing.T) {
			var b trace.Builder
			add := func(id, parent byte, host string, kind trace.Kind, start, end trace.Time) {
				b.SetResource(trace.ResourceData{Attrs: []trace.Attr{{Key: "host.id", Value: trace.StringValue(host)}}})
				span := &trace.SpanData{TraceID: trace.TraceID{1}, ID: trace.SpanID{id}, Kind: kind, Start: start, End: end}
				if parent > 0 {
					span.Parent = trace.SpanID{parent}
				}
				b.Add(span)
			}
			add(1, 0, "h1", trace.Server, 1e9, 9e9)
			add(2, 1, "h1", trace.Internal, times[0], times[1])
			add(3, 1, "h2", trace.Server, times[0], times[1])
			add(4, 1, "h1", trace.Internal, 4e9, 5e9)
			add(5, 1, "h2", trace.Internal, 6e9, 7e9)
			g := trace.NewGraph()
			w := g.OpenFlow(trace.FlowRecord{ID: "f", TraceID: trace.TraceID{1}})
			var n []trace.Node
			for _, s := range b.Commit() {
				n = append(n, g.Add(s, 0))
				w.Join(n[len(n)-1], trace.ByTrace)
			}
			for _, child := range n[1:] {
				g.SetParent(child, n[0])
			}
			o := trace.NewOrder(w.Freeze(trace.FlowState{Origin: trace.None, Trigger: trace.None}), 0)
			if found := o.Contradictions(); len(found) > 0 {
				t.Errorf("contradictions %+v", found)
			}
			for _, pair := range [][2]int{{1, 3}, {3, 1}, {2, 4}, {4, 2}, {3, 4}} {
				if got := o.EndBeforeStart(n[pair[0]], n[pair[1]]); got.Order != trace.OrderUnknown {
					t.Errorf("%d before %d: %+v, want unknown", pair[0]+1, pair[1]+1, got)
				}
			}
			if got := o.StartBeforeStart(n[0], n[1]); got.Order != trace.Before || got.By != trace.ByCausality {
				t.Errorf("a parent before its child: %+v", got)
			}
		})
	}
}
