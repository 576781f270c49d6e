package collector

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/followspan/followspan/internal/recording"
	followspan "github.com/followspan/followspan/receiver"
	"github.com/followspan/followspan/trace"
)

// sendVariable holds the path of a file when this binary is the command that
// followspan record runs: it sends each line to the endpoint in its environment.
const sendVariable = "FOLLOWSPAN_TEST_SEND"

func TestMain(m *testing.M) {
	if path := os.Getenv(sendVariable); path != "" {
		if err := sendLines(path, os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT")+"/v1/traces"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func sendLines(path, to string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for line := range bytes.Lines(content) {
		response, err := http.Post(to, "application/json", bytes.NewReader(line))
		if err != nil {
			return err
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("%s: %s", to, response.Status)
		}
	}
	return nil
}

// collecting is a sink that says when it has as many spans as are wanted.
type collecting struct {
	mu     sync.Mutex
	spans  []trace.Span
	want   int
	enough chan struct{}
}

func (c *collecting) Consume(_ context.Context, b trace.Batch) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := len(c.spans)
	c.spans = append(c.spans, b.Spans...)
	if before < c.want && len(c.spans) >= c.want {
		close(c.enough)
	}
	return nil
}

// A Collector reads what followspan record wrote, and hands on the spans that were
// recorded.
func TestReadsRecordings(t *testing.T) {
	sent := filepath.Join(t.TempDir(), "sent.jsonl")
	if err := os.WriteFile(sent, everything(t), 0o644); err != nil {
		t.Fatal(err)
	}
	want := read(t, sent)
	program := buildFollowspan(t)
	for _, c := range []struct{ name, more string }{
		{"recorded.jsonl", ""},
		{"recorded.jsonl.gz", ", compression: gzip"},
	} {
		t.Run(c.name, func(t *testing.T) {
			recorded := filepath.Join(t.TempDir(), c.name)
			record(t, program, recorded, sent)
			sink := &collecting{want: len(want), enough: make(chan struct{})}
			server, err := followspan.Start(t.Context(), followspan.Settings{}, sink)
			if err != nil {
				t.Fatal(err)
			}
			run(t, "otlp_json_file: {include: ['"+recorded+"'], start_at: beginning, include_file_name: false, poll_interval: 10ms"+c.more+"}",
				"otlp: {endpoint: '"+server.GRPCEndpoint()+"', tls: {insecure: true}}", "traces")
			select {
			case <-sink.enough:
			case <-time.After(time.Minute):
				t.Errorf("the Collector did not send all spans within a minute")
			}
			if err := server.Shutdown(context.Background()); err != nil {
				t.Fatal(err)
			}
			same(t, want, sink.spans)
		})
	}
}

// same compares spans regardless of their order.
func same(t *testing.T, want, got []trace.Span) {
	t.Helper()
	ids := func(spans []trace.Span) (all []string) {
		for _, s := range spans {
			all = append(all, s.TraceID().String()+" "+s.ID().String())
		}
		slices.Sort(all)
		return all
	}
	if diff := cmp.Diff(ids(want), ids(got)); diff != "" {
		t.Fatalf("spans (-recorded +arrived):\n%s", diff)
	}
	byID := map[trace.SpanID]trace.Span{}
	for _, s := range got {
		byID[s.ID()] = s
	}
	for _, s := range want {
		if !s.Equal(byID[s.ID()]) {
			t.Errorf("span %s of trace %s arrived otherwise", s.ID(), s.TraceID())
		}
	}
}

func buildFollowspan(t *testing.T) (program string) {
	t.Helper()
	program = filepath.Join(t.TempDir(), "followspan")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-C", "../../..", "-o", program, "./cmd/followspan").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// record has followspan record what this binary sends.
func record(t *testing.T, program, to, send string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), program, "record", "-o", to, "--quiet", "10ms", "--", self)
	command.Env = append(os.Environ(), sendVariable+"="+send)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("followspan record: %v\n%s", err, out)
	}
}

func read(t *testing.T, path string) (spans []trace.Span) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	_, err = recording.NewReader(recording.Settings{}, func(b trace.Batch) error {
		spans = append(spans, b.Spans...)
		return nil
	}).Read(t.Context(), path, file)
	if err != nil {
		t.Fatal(err)
	}
	return spans
}

// everything is OTLP JSON in lines: the traces of the example, a span with all that
// one can hold, and a batch that is longer than the lines that a Collector reads.
func everything(t *testing.T) []byte {
	t.Helper()
	example, err := os.ReadFile("../../../examples/recorded/shop.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var out []byte
	for line := range bytes.Lines(example) {
		if bytes.Contains(line, []byte("resourceSpans")) {
			out = append(out, line...)
		}
	}
	for _, batch := range []ptrace.Traces{full(), long()} {
		line, err := (&ptrace.JSONMarshaler{}).MarshalTraces(batch)
		if err != nil {
			t.Fatal(err)
		}
		out = append(append(out, line...), '\n')
	}
	return out
}

// full is a span with all that one can hold.
func full() ptrace.Traces {
	batch := ptrace.NewTraces()
	resource := batch.ResourceSpans().AppendEmpty()
	resource.SetSchemaUrl("https://opentelemetry.io/schemas/1.30.0")
	resource.Resource().Attributes().PutStr("service.name", "größe 世界 \u2028 </script>")
	resource.Resource().SetDroppedAttributesCount(1)
	scope := resource.ScopeSpans().AppendEmpty()
	scope.Scope().SetName("scope")
	scope.Scope().SetVersion("1.2")
	scope.Scope().Attributes().PutBool("b", true)
	s := scope.Spans().AppendEmpty()
	s.SetTraceID([16]byte{7, 15: 7})
	s.SetSpanID([8]byte{7})
	s.SetParentSpanID([8]byte{8})
	s.TraceState().FromRaw("a=1,b=2")
	s.SetFlags(0x301)
	s.SetName("all \"quoted\"\n")
	s.SetKind(ptrace.SpanKindConsumer)
	s.SetStartTimestamp(1_700_000_000_123_456_789)
	s.SetEndTimestamp(math.MaxInt64)
	s.Status().SetCode(ptrace.StatusCodeError)
	s.Status().SetMessage("declined")
	s.SetDroppedAttributesCount(2)
	a := s.Attributes()
	a.PutInt("int", math.MinInt64)
	a.PutDouble("infinite", math.Inf(-1))
	a.PutDouble("double", 0.1)
	a.PutEmpty("empty")
	a.PutEmptyBytes("bytes").FromRaw([]byte{0, 0xff})
	list := a.PutEmptySlice("list")
	list.AppendEmpty().SetStr("x")
	list.AppendEmpty().SetEmptyMap().PutStr("k", "v")
	e := s.Events().AppendEmpty()
	e.SetName("charged")
	e.SetTimestamp(5)
	e.Attributes().PutStr("receipt", "r-1")
	l := s.Links().AppendEmpty()
	l.SetTraceID([16]byte{9})
	l.SetSpanID([8]byte{9})
	l.SetFlags(1)
	l.TraceState().FromRaw("c=3")
	return batch
}

func long() ptrace.Traces {
	batch := ptrace.NewTraces()
	spans := batch.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	for i := range 3000 {
		s := spans.AppendEmpty()
		s.SetTraceID([16]byte{1})
		s.SetSpanID([8]byte{1, byte(i >> 8), byte(i), 1})
		s.SetName(strings.Repeat("x", 500))
	}
	return batch
}
