package store_test

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/store/storetest"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

// Tracers in the style of Zipkin give a client's span and the server's the same id.
// The two stay two; the server's half hangs under the client's, and what the server
// did under its own, in whatever order they arrive.
func TestHalvesOfAZipkinSpan(t *testing.T) {
	for name, parentOfServer := range map[string]trace.SpanID{"that names the client's parent": {1}, "that names no parent": {}} {
		var b trace.Builder
		half := func(service string, kind trace.Kind, id, parent trace.SpanID) {
			b.SetResource(trace.ResourceData{Attrs: []trace.Attr{{Key: "service.name", Value: trace.StringValue(service)}}})
			b.Add(&trace.SpanData{TraceID: trace.TraceID{1}, ID: id, Parent: parent, Name: service, Kind: kind, Start: sketch.Base, End: sketch.Base + 1})
		}
		half("order", trace.Server, trace.SpanID{1}, trace.SpanID{})
		half("shop", trace.Client, trace.SpanID{2}, trace.SpanID{1})
		half("stock", trace.Server, trace.SpanID{2}, parentOfServer)
		half("query", trace.Client, trace.SpanID{3}, trace.SpanID{2})
		half("forwarded", trace.Server, trace.SpanID{4}, trace.SpanID{2})
		spans := b.Commit()
		want := map[string]string{"shop": "order", "stock": "shop", "query": "stock", "forwarded": "stock"}
		for order := range permutations(len(spans)) {
			p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{})
			for _, i := range order {
				p.Arrive(sketch.Arrival{Span: spans[i], At: sketch.Base})
			}
			f := p.Close(trace.ByEndOfRecording)[0]
			parents := map[string]string{}
			for i := range f.Len() {
				n := f.Member(i)
				if above, ok := f.Parent(n); ok {
					parents[f.Span(n).Name()] = f.Span(above).Name()
				}
			}
			if diff := cmp.Diff(want, parents); diff != "" {
				t.Fatalf("a server's half %s, in the order %v (-want +got)\n%s", name, order, diff)
			}
			if e := f.OpenEdges(); len(e) != 0 {
				t.Fatalf("a server's half %s, in the order %v: open edges %v", name, order, e)
			}
		}
	}
}

// Who links to an id that two halves share follows from either.
func TestALinkToAZipkinSpan(t *testing.T) {
	var b trace.Builder
	add := func(name string, kind trace.Kind, traceID byte, id, parent trace.SpanID, links ...trace.LinkData) {
		b.SetResource(trace.ResourceData{Attrs: []trace.Attr{{Key: "service.name", Value: trace.StringValue(name)}}})
		b.Add(&trace.SpanData{TraceID: trace.TraceID{traceID}, ID: id, Parent: parent, Name: name, Kind: kind, Start: sketch.Base, End: sketch.Base + 1, Links: links})
	}
	add("order", trace.Server, 1, trace.SpanID{1}, trace.SpanID{})
	add("shop", trace.Client, 1, trace.SpanID{2}, trace.SpanID{1})
	add("stock", trace.Server, 1, trace.SpanID{2}, trace.SpanID{1})
	add("mail", trace.Consumer, 2, trace.SpanID{3}, trace.SpanID{}, trace.LinkData{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}})
	spans := b.Commit()
	for order := range permutations(len(spans)) {
		p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("stock"), Scope: trace.ScopeSubtree}}, store.Settings{})
		for _, i := range order {
			p.Arrive(sketch.Arrival{Span: spans[i], At: sketch.Base})
		}
		if f := p.Close(trace.ByEndOfRecording)[0]; f.Len() != 2 {
			t.Fatalf("in the order %v: %s, want stock and mail", order, describe(f))
		}
	}
}

// The server's half may name another parent than the client's. It leaves the flows of
// that one as soon as the client's half is there.
func TestAHalfThatHangsElsewhere(t *testing.T) {
	var b trace.Builder
	add := func(name string, kind trace.Kind, id, parent trace.SpanID, attrs ...trace.Attr) {
		b.SetResource(trace.ResourceData{Attrs: []trace.Attr{{Key: "service.name", Value: trace.StringValue(name)}}})
		b.Add(&trace.SpanData{TraceID: trace.TraceID{1}, ID: id, Parent: parent, Name: name, Kind: kind, Start: sketch.Base, End: sketch.Base + 1, Attrs: attrs})
	}
	job := func(n int64) trace.Attr { return trace.Attr{Key: "job", Value: trace.IntValue(n)} }
	add("suite", trace.Internal, trace.SpanID{9}, trace.SpanID{})
	add("order", trace.Server, trace.SpanID{1}, trace.SpanID{9}, job(1))
	add("shop", trace.Client, trace.SpanID{2}, trace.SpanID{1})
	add("stock", trace.Server, trace.SpanID{2}, trace.SpanID{5})
	add("order", trace.Server, trace.SpanID{5}, trace.SpanID{9}, job(2))
	spans := b.Commit()
	for name, m := range map[string]trace.Membership{
		"by span":  {},
		"by value": {Opens: trace.OpensByKey, Per: func(s trace.Span) (string, bool) { v, ok := s.Attr("job"); return v.String(), ok }},
	} {
		m.Flow, m.Origin = "f", named("order")
		for order := range permutations(len(spans)) {
			p := storetest.New([]trace.Membership{m}, store.Settings{})
			for _, i := range order {
				p.Arrive(sketch.Arrival{Span: spans[i], At: sketch.Base})
			}
			got := map[trace.SpanID]int{}
			for _, f := range p.Close(trace.ByEndOfRecording) {
				n, _ := f.Origin()
				got[f.Span(n).ID()] = f.Len()
			}
			if want := map[trace.SpanID]int{{1}: 3, {5}: 1}; !maps.Equal(got, want) {
				t.Fatalf("%s, in the order %v: spans by origin %v, want %v", name, order, got, want)
			}
		}
	}
}
