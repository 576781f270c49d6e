// Package otlptest receives spans over OTLP/gRPC in tests.
//
// [Start] listens on a free port; [Receiver.Wait] returns what arrived once it
// is what a test waits for.
package otlptest

import (
	"context"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
)

// waitLimit is far more than any flow of the shop takes.
const waitLimit = 20 * time.Second

// A Receiver keeps every span that it is sent.
type Receiver struct {
	collector.UnimplementedTraceServiceServer
	endpoint string

	mu      sync.Mutex // guards the rest
	spans   Spans
	changed chan struct{}
}

// Start listens until the test ends.
func Start(t testing.TB) *Receiver {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &Receiver{endpoint: "http://" + listener.Addr().String(), changed: make(chan struct{})}
	server := grpc.NewServer()
	collector.RegisterTraceServiceServer(server, r)
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(listener) })
	t.Cleanup(func() {
		server.Stop()
		serving.Wait()
	})
	return r
}

// Endpoint returns the value for OTEL_EXPORTER_OTLP_ENDPOINT.
func (r *Receiver) Endpoint() string {
	return r.endpoint
}

// Export keeps the spans of one request.
func (r *Receiver) Export(_ context.Context, request *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.spans = append(r.spans, decode(request)...)
	close(r.changed)
	r.changed = make(chan struct{})
	return &collector.ExportTraceServiceResponse{}, nil
}

// Spans returns all spans that arrived, in order of arrival.
func (r *Receiver) Spans() Spans {
	spans, _ := r.snapshot()
	return spans
}

// Wait returns all spans as soon as there are enough of them, and fails the test
// with what it waited for if that takes too long.
func (r *Receiver) Wait(t testing.TB, what string, enough func(Spans) bool) Spans {
	t.Helper()
	limit := time.NewTimer(waitLimit)
	defer limit.Stop()
	for {
		spans, changed := r.snapshot()
		if enough(spans) {
			return spans
		}
		select {
		case <-changed:
		case <-limit.C:
			t.Fatalf("no %s after %v; what arrived:\n%v", what, waitLimit, spans)
		}
	}
}

func (r *Receiver) snapshot() (Spans, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.spans), r.changed
}
