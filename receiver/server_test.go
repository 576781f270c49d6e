package receiver_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/followspan/followspan/receiver"
	"github.com/followspan/followspan/trace"
)

func TestMain(m *testing.M) {
	if settings := os.Getenv(loadVariable); settings != "" {
		if err := sendLoad(settings); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// memory is a Sink that keeps everything, unless it has an error to answer.
type memory struct {
	mu      sync.Mutex
	batches []trace.Batch
	err     error
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

// start starts a server that the end of the test shuts down.
// start starts a server that waits for its senders as long as a busy machine needs,
// unless settings say otherwise.
func start(t testing.TB, settings receiver.Settings, sink receiver.Sink) *receiver.Server {
	t.Helper()
	if settings.ReadTimeout == 0 {
		settings.ReadTimeout = time.Hour
	}
	server, err := receiver.Start(t.Context(), settings, sink)
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

func connect(t testing.TB, address string, options ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	options = append(options, grpc.WithTransportCredentials(insecure.NewCredentials()))
	c, err := grpc.NewClient(address, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func exporter(t testing.TB, s *receiver.Server, options ...grpc.DialOption) ptraceotlp.GRPCClient {
	t.Helper()
	return ptraceotlp.NewGRPCClient(connect(t, s.GRPCAddr().String(), options...))
}

// response is an HTTP response that was read to its end.
type response struct {
	*http.Response
	body string
}

// post sends body to a path; headers are keys and values in turn.
func post(t testing.TB, s *receiver.Server, path, contentType, body string, headers ...string) response {
	t.Helper()
	return do(t, s, http.MethodPost, path, body, append(headers, "Content-Type", contentType)...)
}

func do(t testing.TB, s *receiver.Server, method, path, body string, headers ...string) response {
	t.Helper()
	res, err := send(t.Context(), s, method, path, body, headers...)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// send is do for goroutines that are not the test's own.
func send(ctx context.Context, s *receiver.Server, method, path, body string, headers ...string) (response, error) {
	r, err := http.NewRequestWithContext(ctx, method, s.HTTPEndpoint()+path, strings.NewReader(body))
	if err != nil {
		return response{}, err
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}
	res, err := client.Do(r)
	if err != nil {
		return response{}, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	return response{res, string(answer)}, err
}

const (
	protobufType = "application/x-protobuf"
	jsonType     = "application/json"
)

// batch is a request with n spans of one trace, numbered from first.
func batch(first, n int) ptraceotlp.ExportRequest {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", "checkout")
	spans := rs.ScopeSpans().AppendEmpty().Spans()
	for i := range n {
		s := spans.AppendEmpty()
		s.SetTraceID([16]byte{1})
		s.SetSpanID(spanID(first + i))
		s.SetName("place order")
		s.SetStartTimestamp(1)
		s.SetEndTimestamp(2)
	}
	return ptraceotlp.NewExportRequestFromTraces(td)
}

func spanID(n int) [8]byte { return [8]byte{byte(n >> 16), byte(n >> 8), byte(n), 1} }

func inProtobuf(t testing.TB, r ptraceotlp.ExportRequest) string {
	t.Helper()
	b, err := r.MarshalProto()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func inJSON(t testing.TB, r ptraceotlp.ExportRequest) string {
	t.Helper()
	b, err := r.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func wantSpans(t testing.TB, sink *memory, want int) {
	t.Helper()
	if got := len(sink.spans()); got != want {
		t.Errorf("the sink has %d spans, want %d", got, want)
	}
}

// wantRefused ends s first: grpc-go tells a sender that its message is unreadable
// before it tells the server.
func wantRefused(t testing.TB, s *receiver.Server, want ...receiver.Refused) {
	t.Helper()
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	for i := range want {
		want[i].Peer = "127.0.0.1"
	}
	if diff := cmp.Diff(want, s.Stats().Refused); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}
}

func TestBothProtocolsOnBothPorts(t *testing.T) {
	sink := &memory{}
	s := start(t, receiver.Settings{}, sink)
	for i, address := range []string{s.GRPCAddr().String(), s.HTTPAddr().String()} {
		client := ptraceotlp.NewGRPCClient(connect(t, address))
		if _, err := client.Export(t.Context(), batch(10*i, 2)); err != nil {
			t.Errorf("gRPC to %s: %v", address, err)
		}
		res, err := http.Post("http://"+address+"/v1/traces", protobufType, bytes.NewReader([]byte(inProtobuf(t, batch(10*i+5, 1)))))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("HTTP to %s: %s", address, res.Status)
		}
	}
	http.DefaultClient.CloseIdleConnections()
	wantSpans(t, sink, 6)
}

func TestOnePortForBoth(t *testing.T) {
	probe := start(t, receiver.Settings{}, &memory{})
	address := probe.GRPCAddr().String()
	if err := probe.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := start(t, receiver.Settings{GRPC: address, HTTP: address}, &memory{})
	if s.GRPCAddr().String() != address || s.HTTPAddr() != s.GRPCAddr() {
		t.Errorf("listening on %v and %v, want %s for both", s.GRPCAddr(), s.HTTPAddr(), address)
	}
}

func TestEndpointOfEveryInterface(t *testing.T) {
	s := start(t, receiver.Settings{GRPC: "0.0.0.0:0", HTTP: "[::]:0"}, &memory{})
	for _, endpoint := range []string{s.GRPCEndpoint(), s.HTTPEndpoint()} {
		res, err := http.Get(endpoint + "/v1/traces")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestBatchSaysWhoAndWhen(t *testing.T) {
	sink := &memory{}
	clock := trace.Time(1_700_000_000_000_000_001)
	s := start(t, receiver.Settings{Now: clock.Std}, sink)
	post(t, s, "/v1/traces", protobufType, inProtobuf(t, batch(0, 1)), "User-Agent", "OTel-OTLP-Exporter-Test/1.0")
	if _, err := exporter(t, s, grpc.WithUserAgent("OTel-OTLP-Exporter-Test/1.0")).Export(t.Context(), batch(1, 1)); err != nil {
		t.Fatal(err)
	}
	for _, b := range sink.batches {
		if b.Received != clock || len(b.Sender) < len("127.0.0.1:1") || b.Spans[0].Service() != "checkout" {
			t.Errorf("received at %d from %q: %q; want %d, an address, checkout", b.Received, b.Sender, b.Spans[0].Service(), clock)
		}
		if !strings.HasPrefix(b.UserAgent, "OTel-OTLP-Exporter-Test/1.0") {
			t.Errorf("user agent %q", b.UserAgent)
		}
	}
	post(t, s, "/v1/traces", protobufType, inProtobuf(t, batch(2, 1)), "User-Agent", strings.Repeat("x", 10_000))
	if agent := sink.batches[2].UserAgent; len(agent) > 1000 {
		t.Errorf("a user agent of %d bytes is kept", len(agent))
	}
}

func TestSettingsAreChecked(t *testing.T) {
	for _, settings := range []receiver.Settings{
		{MaxRequestBytes: -1}, {MaxInFlightBytes: 1000}, {MaxConnections: -1}, {ReadTimeout: -1}, {CORSOrigins: []string{"http://[a"}}, {GRPC: "nowhere"}, {HTTP: "127.0.0.1:99999"},
	} {
		if s, err := receiver.Start(t.Context(), settings, &memory{}); err == nil {
			t.Errorf("Start(%+v) succeeded", settings)
			_ = s.Shutdown(t.Context())
		}
	}
}
