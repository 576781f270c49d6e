package senders

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/followspan/followspan/receiver"
	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// protocols are the values of OTEL_EXPORTER_OTLP_PROTOCOL.
var protocols = []string{"grpc", "http/protobuf", "http/json"}

// endpoint is a receiver over a store that refuses the first requests as a full
// one does.
type endpoint struct {
	*receiver.Server
	store    *store.Store
	refusals atomic.Int64 // still to come
}

func start(t *testing.T, refusals int64) *endpoint {
	t.Helper()
	e := &endpoint{store: store.New(nil, store.Settings{})}
	e.refusals.Store(refusals)
	sink := receiver.SinkFunc(func(ctx context.Context, b trace.Batch) error {
		if e.refusals.Add(-1) >= 0 {
			return store.ErrFull
		}
		return e.store.Consume(ctx, b)
	})
	server, err := receiver.Start(t.Context(), receiver.Settings{RetryAfter: 10 * time.Millisecond}, sink)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	e.Server = server
	return e
}

// names counts the spans of the only trace by their name.
func (e *endpoint) names(t *testing.T) map[string]int {
	t.Helper()
	names := map[string]int{}
	for _, s := range e.spans(t) {
		names[s.Name()]++
	}
	return names
}

func (e *endpoint) spans(t *testing.T) []trace.Span {
	t.Helper()
	ids := e.store.TraceIDs()
	if len(ids) != 1 {
		t.Fatalf("%d traces, want 1", len(ids))
	}
	return e.store.Trace(ids[0])
}

// checkRoot compares what every SDK was told of its root span with what arrived.
func checkRoot(t *testing.T, spans []trace.Span) {
	t.Helper()
	i := slices.IndexFunc(spans, func(s trace.Span) bool { return s.ParentID().IsZero() })
	if i < 0 {
		t.Fatal("no root span")
	}
	root := spans[i]
	want := map[string]string{"text": `"ü"`, "int": "42", "double": "1.5", "bool": "true", "list": `["a", "b"]`, "numbers": "[1, 2]", "big": "9007199254740991"}
	for key, value := range want {
		got, ok := root.Attr(key)
		if !ok || got.String() != value {
			t.Errorf("attribute %s: %s, want %s", key, got, value)
		}
	}
	if root.Name() != "place order" || root.Kind() != trace.Server || root.Status() != trace.Error || root.StatusMessage() != "card declined" {
		t.Errorf("root: %s %s %s %q", root.Name(), root.Kind(), root.Status(), root.StatusMessage())
	}
	if root.Scope().Name() != "conformance" || root.Scope().Version() != "1.2.3" || root.End() < root.Start() || root.Start() == 0 {
		t.Errorf("scope %s %s, %s to %s", root.Scope().Name(), root.Scope().Version(), root.Start(), root.End())
	}
	if err := checkDetails(root, spans[(i+1)%len(spans)]); err != nil {
		t.Error(err)
	}
}

func checkDetails(root, child trace.Span) error {
	for e := range root.Events() {
		attempt, _ := e.Attr("attempt")
		if e.Name() != "retry" || attempt.String() != "2" || e.Time() < root.Start() {
			return errors.New("event " + e.Name() + " " + attempt.String())
		}
		for l := range child.Links() {
			why, _ := l.Attr("why")
			if l.SpanID() != root.ID() || why.Str() != "test" || child.ParentID() != root.ID() {
				return errors.New("link to " + l.SpanID().String() + " " + why.String())
			}
			return nil
		}
		return errors.New("the child has no link")
	}
	return errors.New("the root has no event")
}
