package store_test

import (
	"fmt"
	"testing"

	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/store/storetest"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

// Two versions of a span contradict each other. What a Collector adds to the resource
// is no contradiction.
func TestVersionsOfASpan(t *testing.T) {
	version := func(attempt int64, pod string) trace.Span {
		var w trace.Builder
		w.SetResource(trace.ResourceData{Attrs: []trace.Attr{{Key: "k8s.pod.name", Value: trace.StringValue(pod)}}})
		w.Add(&trace.SpanData{TraceID: trace.TraceID{1}, ID: trace.SpanID{1}, Name: "order", Attrs: []trace.Attr{{Key: "attempt", Value: trace.IntValue(attempt)}}})
		return w.Commit()[0]
	}
	for name, tt := range map[string]struct {
		second trace.Span
		losses int
		stats  int
	}{
		"the same":                     {version(1, "a"), 0, 0},
		"the same from another sender": {version(1, "b"), 0, 1},
		"another version":              {version(2, "a"), 1, 1},
	} {
		for _, m := range []trace.Membership{
			{Opens: trace.OpensBySpan, Origin: named("order")},
			{Opens: trace.OpensByTrace, Origin: named("order")},
			{Opens: trace.OpensBySpan, Origin: named("cart")}, // which comes last
		} {
			m.Flow = "f"
			p := storetest.New([]trace.Membership{m}, store.Settings{})
			var w trace.Builder
			w.Add(&trace.SpanData{TraceID: trace.TraceID{1}, ID: trace.SpanID{2}, Name: "cart"})
			for _, s := range []trace.Span{version(1, "a"), tt.second, w.Commit()[0]} {
				p.Arrive(sketch.Arrival{Span: s, At: sketch.Base})
			}
			f := p.Close(trace.ByEndOfRecording)[0]
			if got := len(f.Losses()); f.Len() != 2 || got != tt.losses || len(p.Store.Stats().Differing) != tt.stats {
				t.Errorf("%s: %d spans, losses %v, %v differ; want %d and %d", name, f.Len(), f.Losses(), p.Store.Stats().Differing, tt.losses, tt.stats)
			}
		}
	}
}

// Spans that share an id are several where their services or kinds differ.
func TestSpansThatShareAnID(t *testing.T) {
	for name, tt := range map[string]struct {
		service string
		kind    trace.Kind
		want    int
	}{
		"another receipt": {"shop", trace.Client, 1},
		"another kind":    {"shop", trace.Server, 2},
		"another service": {"stock", trace.Client, 2},
	} {
		s := store.New(nil, store.Settings{})
		var w trace.Builder
		for _, half := range []struct {
			service string
			kind    trace.Kind
		}{{"shop", trace.Client}, {tt.service, tt.kind}} {
			w.SetResource(trace.ResourceData{Attrs: []trace.Attr{{Key: "service.name", Value: trace.StringValue(half.service)}}})
			w.Add(&trace.SpanData{TraceID: trace.TraceID{1}, ID: trace.SpanID{1}, Name: "get", Kind: half.kind})
		}
		if err := s.Consume(t.Context(), trace.Batch{Spans: w.Commit()}); err != nil {
			t.Fatal(err)
		}
		if got := s.Stats(); got.Spans != tt.want || got.Copies != 2-tt.want || len(got.Differing) > 0 {
			t.Errorf("%s: %d spans, %d copies, %v differ; want %d spans", name, got.Spans, got.Copies, got.Differing, tt.want)
		}
	}
}

// An id that very many spans have costs no more time than one that few have, and what is
// not kept of them is a loss.
func TestAnIDOfManySpans(t *testing.T) {
	p := storetest.New([]trace.Membership{{Flow: "f", Opens: trace.OpensByTrace}}, store.Settings{})
	for i := range 1000 {
		var w trace.Builder
		w.SetResource(trace.ResourceData{Attrs: []trace.Attr{{Key: "service.name", Value: trace.StringValue(fmt.Sprint("shop ", i))}}})
		w.Add(&trace.SpanData{TraceID: trace.TraceID{1}, ID: trace.SpanID{1}, Name: "order", Kind: trace.Server})
		p.Arrive(sketch.Arrival{Span: w.Commit()[0], At: sketch.Base})
	}
	f := p.Close(trace.ByEndOfRecording)[0]
	if got := p.Store.Stats(); got.Spans != 64 || len(got.Differing) != 936 || len(f.Losses()) != 1 {
		t.Errorf("%d spans are kept, %d differ, losses %v; want 64, 936 and 1", got.Spans, len(got.Differing), f.Losses())
	}
}

// However many versions there are of a span, it is one that is not known. Who was handed
// its flow hears of it.
func TestManyVersionsOfASpan(t *testing.T) {
	p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{})
	for attempt := range int64(3) {
		var w trace.Builder
		w.Add(&trace.SpanData{TraceID: trace.TraceID{1}, ID: trace.SpanID{1}, Name: "order", Attrs: []trace.Attr{{Key: "attempt", Value: trace.IntValue(attempt)}}})
		changed := p.Arrive(sketch.Arrival{Span: w.Commit()[0], At: sketch.Base})
		if want := attempt < 2; (len(changed) == 1) != want {
			t.Errorf("version %d: handed out %v", attempt, changed)
		}
	}
	l := p.Close(trace.ByEndOfRun)[0].Losses()
	if len(l) != 1 || l[0].Count != 1 || len(p.Store.Stats().Differing) != 2 {
		t.Errorf("losses %v, %v differ; want one span, of which 2 differ", l, p.Store.Stats().Differing)
	}
}
