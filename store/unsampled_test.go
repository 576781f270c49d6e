package store_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/store/storetest"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

// A span that was not sampled is a loss to the flows of its trace once another one
// links to it, whichever comes first, until it comes all the same.
func TestUnsampledSpanIsALoss(t *testing.T) {
	const sampled, notSampled, unknown = 0x101, 0x100, 0x100
	order := trace.SpanData{TraceID: trace.TraceID{1}, ID: trace.SpanID{1}, Name: "order"}
	other := trace.SpanData{TraceID: trace.TraceID{3}, ID: trace.SpanID{3}, Name: "order"}
	missing := trace.SpanData{TraceID: trace.TraceID{1}, ID: trace.SpanID{9}, Parent: trace.SpanID{1}, Name: "send"}
	mail := trace.SpanData{TraceID: trace.TraceID{1}, ID: trace.SpanID{4}, Name: "mail", Links: []trace.LinkData{{TraceID: trace.TraceID{3}, SpanID: trace.SpanID{3}}}}
	linker := func(own, flags uint32) trace.SpanData {
		return trace.SpanData{
			TraceID: trace.TraceID{2}, ID: trace.SpanID{2}, Name: "process", Flags: own,
			Links: []trace.LinkData{{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{9}, Flags: flags}},
		}
	}
	for name, tt := range map[string]struct {
		spans []trace.SpanData
		want  int
	}{
		"linked to":                            {[]trace.SpanData{order, linker(sampled, notSampled)}, 1},
		"linked to before":                     {[]trace.SpanData{linker(sampled, notSampled), order}, 1},
		"it was sampled":                       {[]trace.SpanData{order, linker(sampled, sampled)}, 0},
		"an exporter without the flags":        {[]trace.SpanData{order, linker(unknown, unknown)}, 0},
		"one that does not know the link's":    {[]trace.SpanData{order, linker(1, 0)}, 0},
		"it comes all the same":                {[]trace.SpanData{order, linker(sampled, notSampled), missing}, 0},
		"it had come":                          {[]trace.SpanData{missing, order, linker(sampled, notSampled)}, 0},
		"of another trace than that of a flow": {[]trace.SpanData{other, linker(sampled, notSampled)}, 0},
		"of a trace that a link led to":        {[]trace.SpanData{other, mail, linker(sampled, notSampled)}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{})
			var w trace.Builder
			for _, d := range tt.spans {
				w.Add(&d)
				p.Arrive(sketch.Arrival{Span: w.Commit()[0], At: sketch.Base})
			}
			flows := p.Close(trace.ByEndOfRun)
			losses := flows[len(flows)-1].Losses()
			for _, e := range flows[len(flows)-1].OpenEdges() {
				if tt.want > 0 && e.Kind == trace.WaitsForLinked {
					t.Error("it is waited for")
				}
			}
			if len(losses) != tt.want || slices.ContainsFunc(losses, func(l trace.Loss) bool { return !strings.Contains(l.What, "not sampled") }) {
				t.Errorf("losses %v, want %d", losses, tt.want)
			}
		})
	}
}

// A session has all traces, and so misses what any of them does.
func TestUnsampledSpanOfASession(t *testing.T) {
	p := storetest.New([]trace.Membership{{Flow: "all", Opens: trace.OpensBySession}}, store.Settings{})
	var w trace.Builder
	count := 0
	for i := range byte(2) {
		w.Add(&trace.SpanData{TraceID: trace.TraceID{2}, ID: trace.SpanID{2 + i}, Name: "process", Flags: 0x101,
			Links: []trace.LinkData{{TraceID: trace.TraceID{4 + i}, SpanID: trace.SpanID{9}, Flags: 0x100}}})
		for _, f := range p.Arrive(sketch.Arrival{Span: w.Commit()[0], At: sketch.Base}) {
			count = f.Losses()[0].Count
		}
	}
	if count != 2 {
		t.Errorf("%d spans were not sampled, want 2", count)
	}
}

// A flow that was handed out is handed out again when a link shows what it misses, be
// that link its own or not.
func TestUnsampledSpanIsToldOf(t *testing.T) {
	for _, scope := range []trace.Scoping{trace.ScopeTrace, trace.ScopeSubtree} {
		p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order"), Scope: scope}}, store.Settings{})
		var w trace.Builder
		arrive := func(d trace.SpanData) []trace.Flow {
			w.Add(&d)
			return p.Arrive(sketch.Arrival{Span: w.Commit()[0], At: sketch.Base})
		}
		arrive(trace.SpanData{TraceID: trace.TraceID{1}, ID: trace.SpanID{1}, Name: "order"})
		again := arrive(trace.SpanData{TraceID: trace.TraceID{2}, ID: trace.SpanID{2}, Name: "process", Flags: 0x101,
			Links: []trace.LinkData{{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{9}, Flags: 0x100}}})
		if len(again) != 1 || len(again[0].Losses()) != 1 {
			t.Errorf("scope %v: handed out again: %d flows", scope, len(again))
		}
		again = arrive(trace.SpanData{TraceID: trace.TraceID{1}, ID: trace.SpanID{9}, Name: "send"})
		if len(again) != 1 || len(again[0].Losses()) != 0 {
			t.Errorf("scope %v: once it came all the same: handed out again: %d flows", scope, len(again))
		}
	}
}

// What a link showed is remembered when the span that has it makes room.
func TestUnsampledSpanOutlivesItsLink(t *testing.T) {
	subtree := ordinary
	subtree.Scope = trace.ScopeSubtree // Otherwise it has what links to its trace.
	x := newTraffic(t, store.Settings{Linger: time.Second}, subtree)
	if err := x.send(1, 1, 1); err != nil {
		t.Fatal(err)
	}
	var w trace.Builder
	w.Add(&trace.SpanData{TraceID: trace.TraceID{2}, ID: trace.SpanID{2}, Flags: 0x101,
		Links: []trace.LinkData{{TraceID: traceID(1), SpanID: trace.SpanID{9}, Flags: 0x100}}})
	if err := x.store.Consume(t.Context(), trace.Batch{Spans: w.Commit()}); err != nil {
		t.Fatal(err)
	}
	const linker = trace.Node(1)
	for n := 3; !x.store.View().Evicted(linker) && n < 5000; n++ {
		x.now = x.now.Add(5 * time.Millisecond)
		_ = x.send(n, 2, 20) // some are refused, before anything lingered long enough
	}
	f := x.flow(1)
	if evicted := x.store.View().Evicted(linker); !evicted || f.State() == trace.Closed {
		t.Fatalf("link evicted: %v, flow %v", evicted, f.State())
	}
	if !slices.ContainsFunc(f.Losses(), func(l trace.Loss) bool { return strings.Contains(l.What, "not sampled") && l.Count == 1 }) {
		t.Errorf("losses %v", f.Losses())
	}
}
