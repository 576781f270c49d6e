package receiver_test

import (
	"bytes"
	"context"
	"net/http"
	"sync"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/followspan/followspan/receiver"
	"github.com/followspan/followspan/trace"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory is a Sink that keeps everything.
type memory struct {
	mu      sync.Mutex
	batches []trace.Batch
	err     error // what to answer
}

func (m *memory) Consume(_ context.Context, b trace.Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	m.batches = append(m.batches, b)
	return nil
}

func (m *memory) spans() (all []trace.Span) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, b := range m.batches {
		all = append(all, b.Spans...)
	}
	return all
}

func start(t testing.TB, s receiver.Settings, sink receiver.Sink) *receiver.Server {
	t.Helper()
	server, err := receiver.Start(t.Context(), s, sink)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return server
}

func dial(t testing.TB, address string) ptraceotlp.GRPCClient {
	t.Helper()
	c, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return ptraceotlp.NewGRPCClient(c)
}

// one is a request with n spans of one trace, numbered from first.
func one(first, n int) ptraceotlp.ExportRequest {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", "checkout")
	spans := rs.ScopeSpans().AppendEmpty().Spans()
	for i := range n {
		s := spans.AppendEmpty()
		s.SetTraceID([16]byte{1})
		s.SetSpanID([8]byte{byte((first + i) >> 16), byte((first + i) >> 8), byte(first + i), 1})
		s.SetName("place order")
	}
	return ptraceotlp.NewExportRequestFromTraces(td)
}

func TestBothProtocolsOnBothPorts(t *testing.T) {
	sink := &memory{}
	s := start(t, receiver.Settings{}, sink)
	for i, addr := range []string{s.GRPCAddr().String(), s.HTTPAddr().String()} {
		if _, err := dial(t, addr).Export(t.Context(), one(10*i, 2)); err != nil {
			t.Errorf("gRPC to %s: %v", addr, err)
		}
		body, _ := one(10*i+5, 1).MarshalProto()
		res, err := http.Post("http://"+addr+"/v1/traces", "application/x-protobuf", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("HTTP to %s: %s", addr, res.Status)
		}
	}
	if got := len(sink.spans()); got != 6 {
		t.Errorf("the sink has %d spans, want 6", got)
	}
	http.DefaultClient.CloseIdleConnections()
}
