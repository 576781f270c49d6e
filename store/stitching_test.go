package store_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/store/storetest"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

// What services do to traces, beside passing them on.
func TestStitching(t *testing.T) {
	tests := []struct {
		name, sketch, want string
		run                string // the label of a span whose trace is the run's
	}{
		{
			name: "a test suite under one TRACEPARENT: each origin has what it caused",
			sketch: `
suite  tests  internal  0..200ms  #run
  shop  order  0..50ms
    stock  reserve  10..20ms
  shop  health  60..61ms
  shop  order  100..150ms
    stock  reserve  110..120ms`,
			run: "run",
			want: `
f closed end of the recording
  shop order (origin)
  stock reserve (parent)
f closed end of the recording
  shop order (origin)
  stock reserve (parent)
`,
		},
		{
			name: "a parent is lost, the trace id is kept",
			sketch: `
shop  order  0..50ms  #order
stock  reserve  10..20ms  trace=#order
mail   send     30..40ms  trace=#order parent=missing`,
			want: `
f closed end of the recording
  shop order (origin)
  stock reserve (trace)
  mail send (trace)
  open: parent of send
`,
		},
		{
			name: "a request goes on in a trace of its own, which links back",
			sketch: `
shop  order  0..50ms
  gateway  forward  5..45ms  #forward
stock  reserve  server  10..20ms  link=#forward
  stock  query  client  12..15ms`,
			want: `
f closed end of the recording
  shop order (origin)
  gateway forward (trace)
  stock reserve (link)
  stock query (parent)
`,
		},
		{
			name: "the caller of the origin sends no spans",
			sketch: `
shop  order  0..50ms  parent=missing
  stock  reserve  10..20ms`,
			want: `
f closed end of the recording
  shop order (origin)
  stock reserve (trace)
`,
		},
		{
			name: "a caller in between sends no spans",
			sketch: `
shop  order  0..50ms  #order
stock  reserve  server  10..20ms  trace=#order parent=missing`,
			want: `
f closed end of the recording
  shop order (origin)
  stock reserve (trace)
  open: parent of reserve
`,
		},
		{
			name: "a batch consumer belongs to the flows of all its messages",
			sketch: `
shop   order   0..50ms
  shop   send   producer  10..20ms  #one
shop   order   100..150ms
  shop   send   producer  110..120ms  #two
mail   batch   consumer  200..250ms  link=#one link=#two`,
			want: `
f closed end of the recording
  shop order (origin)
  shop send (trace)
  mail batch (link)
f closed end of the recording
  shop order (origin)
  shop send (trace)
  mail batch (link)
`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := sketch.MustParse(tt.sketch)
			var settings store.Settings
			if tt.run != "" {
				settings.RunTrace, settings.RunSpan = s.Labels[tt.run].TraceID(), s.Labels[tt.run].ID()
			}
			p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, settings)
			for _, a := range s.Arrivals {
				p.Arrive(a)
			}
			got := []string{"\n"}
			for _, f := range p.Close(trace.ByEndOfRecording) {
				got = append(got, describe(f))
			}
			if diff := cmp.Diff(sortedLines(tt.want), sortedLines(strings.Join(got, ""))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// Tracers in the style of Zipkin give a client's span and the server's the same id.
// The two stay two; the server's half hangs under the client's, and what the server
// did under its own.
func TestHalvesOfAZipkinSpan(t *testing.T) {
	var b trace.Builder
	half := func(service string, kind trace.Kind, id, parent trace.SpanID) {
		b.SetResource(trace.ResourceData{Attrs: []trace.Attr{{Key: "service.name", Value: trace.StringValue(service)}}})
		b.Add(&trace.SpanData{TraceID: trace.TraceID{1}, ID: id, Parent: parent, Name: service, Kind: kind, Start: sketch.Base, End: sketch.Base + 1})
	}
	half("order", trace.Server, trace.SpanID{1}, trace.SpanID{})
	half("shop", trace.Client, trace.SpanID{2}, trace.SpanID{1})
	half("stock", trace.Server, trace.SpanID{2}, trace.SpanID{1})
	half("query", trace.Client, trace.SpanID{3}, trace.SpanID{2})
	p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{})
	for _, s := range b.Commit() {
		p.Arrive(sketch.Arrival{Span: s, At: sketch.Base})
	}
	f := p.Close(trace.ByEndOfRecording)[0]
	parents := map[string]string{}
	for i := range f.Len() {
		n := f.Member(i)
		if above, ok := f.Parent(n); ok {
			parents[f.Span(n).Name()] = f.Span(above).Name()
		}
	}
	if diff := cmp.Diff(map[string]string{"shop": "order", "stock": "shop", "query": "stock"}, parents); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
