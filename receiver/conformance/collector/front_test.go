package collector

import (
	"context"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	followspan "github.com/followspan/followspan/receiver"
	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
)

// fillingUp is a store that refuses every other request for a while, as a full one
// does, and says when it holds enough.
type fillingUp struct {
	*store.Store
	mu       sync.Mutex
	requests int
	refusals int // still to come
	spans    int
	want     int
	enough   chan struct{}
}

func (f *fillingUp) Consume(ctx context.Context, b trace.Batch) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests++
	if f.requests%2 == 1 && f.refusals > 0 {
		f.refusals--
		return store.ErrFull
	}
	if err := f.Store.Consume(ctx, b); err != nil {
		return err
	}
	f.spans += len(b.Spans)
	if f.spans >= f.want {
		select {
		case <-f.enough:
		default:
			close(f.enough)
		}
	}
	return nil
}

// A Collector in front of a followspan that is full for a while loses nothing.
func TestInFront(t *testing.T) {
	for _, c := range []struct {
		name, exporter, more string
		refusals             int
	}{
		{"gRPC", "otlp", "", 10},
		{"gRPC with zstd", "otlp", "compression: zstd, ", 10},
		{"HTTP protobuf", "otlphttp", "", 2},
		{"HTTP JSON", "otlphttp", "encoding: json, ", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			const requests, size = 20, 10
			sink := &fillingUp{Store: store.New(nil, store.Settings{}), refusals: c.refusals, want: requests * size, enough: make(chan struct{})}
			server, err := followspan.Start(t.Context(), followspan.Settings{RetryAfter: 10 * time.Millisecond}, sink)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := server.Shutdown(context.Background()); err != nil {
					t.Error(err)
				}
			})
			to := `endpoint: "` + server.HTTPEndpoint() + `", tls: {insecure: true}, ` + c.more +
				`retry_on_failure: {initial_interval: 10ms, max_interval: 100ms}`
			send(t, start(t, c.exporter, to).GRPC, requests, size)
			<-sink.enough
			if got := len(sink.Trace(trace.TraceID{1})); got != requests*size {
				t.Errorf("%d spans, want %d", got, requests*size)
			}
			stats := server.Stats()
			if len(stats.Refused) != 1 || stats.Refused[0].Requests != uint64(c.refusals) {
				t.Errorf("refused %+v, want %d requests to be retried", stats.Refused, c.refusals)
			}
		})
	}
}

// send exports the spans of one trace to a Collector.
func send(t *testing.T, address string, requests, size int) {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for i := range requests {
		td := ptrace.NewTraces()
		spans := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
		for j := range size {
			s := spans.AppendEmpty()
			s.SetTraceID([16]byte{1})
			s.SetSpanID([8]byte{byte(i + 1), byte(j + 1)})
		}
		if _, err := ptraceotlp.NewGRPCClient(conn).Export(t.Context(), ptraceotlp.NewExportRequestFromTraces(td)); err != nil {
			t.Fatal(err)
		}
	}
}
