package store_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/store/storetest"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

// In a recording a link that leads nowhere is an open edge, whichever comes first:
// of the flow that the link is in, and of the flow that the missing span is of.
func TestDanglingLinks(t *testing.T) {
	to := func(traceID, span byte) []trace.LinkData {
		return []trace.LinkData{{TraceID: trace.TraceID{traceID}, SpanID: trace.SpanID{span}}}
	}
	span := func(traceID, id, parent byte, kind trace.Kind, name string, links []trace.LinkData) trace.SpanData {
		d := trace.SpanData{TraceID: trace.TraceID{traceID}, ID: trace.SpanID{id}, Kind: kind, Name: name, Links: links}
		if parent != 0 {
			d.Parent = trace.SpanID{parent}
		}
		return d
	}
	order := span(1, 1, 0, trace.Server, "order", nil)
	send := span(1, 3, 1, trace.Producer, "send", nil)
	both := append(to(1, 3), to(9, 9)...)
	for name, tt := range map[string]struct {
		spans []trace.SpanData
		want  string
		live  bool
	}{
		"of a member":                          {spans: []trace.SpanData{order, span(1, 2, 1, trace.Server, "charge", to(9, 9))}, want: "charge 09"},
		"within the trace":                     {spans: []trace.SpanData{order, span(1, 2, 1, trace.Internal, "charge", to(1, 9))}, want: "charge 09"},
		"of somebody else into the trace":      {spans: []trace.SpanData{order, span(2, 2, 0, trace.Consumer, "process", to(1, 3))}, want: "process 03"},
		"of a member to two":                   {spans: []trace.SpanData{order, send, span(2, 2, 0, trace.Consumer, "process", append(to(1, 3), to(1, 4)...))}, want: "process 04"},
		"it leads somewhere":                   {spans: []trace.SpanData{order, send, span(2, 2, 0, trace.Consumer, "process", to(1, 3))}},
		"of the origin":                        {spans: []trace.SpanData{span(1, 1, 0, trace.Server, "order", to(9, 9))}},
		"of the origin, to its parent":         {spans: []trace.SpanData{span(1, 1, 9, trace.Server, "order", to(1, 9))}},
		"above the origin":                     {spans: []trace.SpanData{span(1, 7, 0, trace.Server, "edge", to(9, 9)), span(1, 1, 7, trace.Server, "order", nil)}},
		"of who enters a linked trace":         {spans: []trace.SpanData{order, send, span(2, 2, 0, trace.Consumer, "process", both)}},
		"below who enters a linked trace":      {spans: []trace.SpanData{order, send, span(2, 2, 0, trace.Consumer, "process", to(1, 3)), span(2, 3, 2, trace.Internal, "work", to(9, 9))}, want: "work 09"},
		"below it, into the flow's own trace":  {spans: []trace.SpanData{order, send, span(2, 2, 0, trace.Consumer, "process", to(1, 3)), span(2, 3, 2, trace.Internal, "work", to(1, 9))}, want: "work 09"},
		"below it, into the linked trace":      {spans: []trace.SpanData{order, send, span(2, 2, 0, trace.Consumer, "process", to(1, 3)), span(2, 3, 2, trace.Internal, "work", to(2, 9))}, want: "work 09"},
		"to somebody else's span, which came":  {spans: []trace.SpanData{order, span(1, 2, 1, trace.Server, "charge", to(9, 9)), span(9, 9, 0, trace.Internal, "job", nil), span(8, 8, 0, trace.Internal, "other", to(7, 7))}},
		"of another trace into one more":       {spans: []trace.SpanData{order, span(2, 2, 0, trace.Consumer, "process", to(9, 9))}},
		"live, where others may get the spans": {spans: []trace.SpanData{order, span(1, 2, 1, trace.Server, "charge", to(9, 9))}, live: true},
	} {
		t.Run(name, func(t *testing.T) {
			for _, backwards := range []bool{false, true} {
				p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{Recorded: !tt.live})
				spans := slices.Clone(tt.spans)
				if backwards {
					slices.Reverse(spans)
				}
				var w trace.Builder
				for _, d := range spans {
					w.Add(&d)
					p.Arrive(sketch.Arrival{Span: w.Commit()[0], At: sketch.Base})
				}
				flows := p.Close(trace.ByEndOfRecording)
				f, got := flows[len(flows)-1], ""
				for _, e := range f.OpenEdges() {
					got += fmt.Sprintf("%s %.2s", f.Span(e.Node).Name(), e.Missing)
				}
				if got != tt.want {
					t.Errorf("backwards %v: open edges %q, want %q", backwards, got, tt.want)
				}
			}
		})
	}
}
