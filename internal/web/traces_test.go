package web_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/followspan/followspan/internal/otlp"
	"github.com/followspan/followspan/internal/web"
	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

// get asks for a trace of what a sketch brought to a store.
func get(t *testing.T, spans []trace.Span, id string) *httptest.ResponseRecorder {
	t.Helper()
	st := store.New(nil, store.Settings{})
	if err := st.Consume(t.Context(), trace.Batch{Spans: spans}); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(web.TracePattern, web.Trace(st))
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/traces/"+id, nil))
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("%s: content type %s", id, got)
	}
	return w
}

// The answer decodes to the spans as they were received.
func TestTraceIsWhole(t *testing.T) {
	played := sketch.MustParse(`
shop   order  0..180ms  error="card declined"  event=retry@30ms  order.id=o-1  big=9007199254740993  ratio=0.5  tags=[a, b]
  db   query  20..60ms  client  resource.pool=main  #q
cart   show   0..1ms    link=#q`)
	spans, id := played.Spans(), played.Labels["q"].TraceID()
	w := get(t, spans, id.String())
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	var b trace.Builder
	if _, err := otlp.NewDecoder(&b, otlp.Limits{}).JSON(w.Body.Bytes()); err != nil {
		t.Fatal(err)
	}
	got := map[trace.SpanID]trace.Span{}
	for _, s := range b.Commit() {
		got[s.ID()] = s
	}
	want := 0
	for _, s := range spans {
		if s.TraceID() != id {
			continue
		}
		want++
		if !got[s.ID()].Equal(s) {
			t.Errorf("%s differs:\n%s", s.Name(), w.Body)
		}
	}
	if want != 2 || len(got) != want {
		t.Errorf("%d spans in the answer, want %d", len(got), want)
	}
}

func span(id trace.TraceID) trace.Span {
	var b trace.Builder
	b.SetResource(trace.ResourceData{})
	b.SetScope(trace.ScopeData{})
	b.Add(&trace.SpanData{TraceID: id, ID: trace.SpanID{1}, Name: "s"})
	return b.Commit()[0]
}

func TestTraceIDs(t *testing.T) {
	spans := []trace.Span{
		span(trace.TraceID{0: 0x4b, 1: 0xf9, 2: 0x2f, 15: 1}),
		span(trace.TraceID{0: 0x4b, 1: 0xf9, 2: 0x30}),
		span(trace.TraceID{8: 0xab, 15: 0xcd}),
	}
	for _, c := range []struct {
		asked string
		code  int
		says  string
	}{
		{"4bf92f00000000000000000000000001", 200, `"traceId":"4bf92f00000000000000000000000001"`},
		{"4BF92F00000000000000000000000001", 200, `"traceId":"4bf92f00000000000000000000000001"`},
		{"4bf92f", 200, `"traceId":"4bf92f00000000000000000000000001"`},
		{"ab000000000000cd", 200, `"traceId":"0000000000000000ab000000000000cd"`},
		{"AB00", 200, `"traceId":"0000000000000000ab000000000000cd"`},
		{"4bf9", 404, `2 traces begin with 4bf9`},
		{"77", 404, `no span of trace 77 was received`},
		{"xyz", 404, `\"xyz\" is no trace id`},
		{strings.Repeat("0", 33), 404, "is no trace id"},
	} {
		w := get(t, spans, c.asked)
		if w.Code != c.code || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s: %d %s; want %d with %s", c.asked, w.Code, w.Body, c.code, c.says)
		}
	}
	w := get(t, spans, "77")
	var answer struct{ Traces []string }
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || len(answer.Traces) != 3 || answer.Traces[0] != "0000000000000000ab000000000000cd" {
		t.Errorf("the newest traces: %v, %v", answer.Traces, err)
	}
	if w := get(t, nil, "77"); !strings.Contains(w.Body.String(), "nothing was received yet") {
		t.Errorf("an empty store: %s", w.Body)
	}
}
