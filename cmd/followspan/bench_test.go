package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"runtime"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/internal/report"
	"github.com/followspan/followspan/internal/run"
	"github.com/followspan/followspan/receiver"
	"github.com/followspan/followspan/store"
)

// The assertions of the benchmark latch early, so that it measures work and no
// silence; the failing one makes the report explain and draw the flow.
const benchFlow = `version: 1
spans:
  work:  service startsWith "svc" and kind == "server"
  outgoing: kind == "client"
flows:
  load:
    origin: name == "root"
    expect:
      - work.count >= %[1]d
      - outgoing.count >= %[1]d
      - any(outgoing, .attrs.item == 17)
      - spans.count <= 100
    never:
      - name == "work 471"
`

// BenchmarkReceiveJudgeReport is a whole run over one trace: exported over gRPC
// in 100 batches, received, judged and reported. MB-sys is what the process took
// of the system, the exporter's spans included.
func BenchmarkReceiveJudgeReport(b *testing.B) {
	for _, spans := range []int{1000, 10000} {
		b.Run(fmt.Sprintf("spans=%d", spans), func(b *testing.B) {
			batches := benchBatches(spans, 100)
			for b.Loop() {
				out := receiveJudgeReport(b, fmt.Sprintf(benchFlow, spans*4/10), batches)
				if !bytes.Contains(out, []byte("work 471")) {
					b.Fatalf("the report does not name the forbidden span:\n%s", out)
				}
			}
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			b.ReportMetric(float64(m.Sys)/1e6, "MB-sys")
			b.ReportMetric(float64(spans)*float64(b.N)/b.Elapsed().Seconds(), "spans/s")
		})
	}
}

func receiveJudgeReport(b *testing.B, flow string, batches []ptrace.Traces) []byte {
	suite, problems := assertions.Load(diag.NewSource("load.flow.yaml", flow), assertions.Options{})
	if problems.HasErrors() {
		b.Fatal(diag.Style{}.RenderAll(problems))
	}
	inputs := []run.Input{{Suite: suite}}
	spans := store.New(run.Memberships(inputs), store.Settings{})
	server, err := receiver.Start(b.Context(), receiver.Settings{}, receiver.SinkFunc(spans.Consume))
	if err != nil {
		b.Fatal(err)
	}
	exported := make(chan error, 1)
	go func() { exported <- export(b.Context(), server.GRPCAddr().String(), batches) }()
	result := run.Run(b.Context(), run.Settings{Inputs: inputs, Store: spans, Drain: server.Shutdown})
	if err := <-exported; err != nil {
		b.Fatal(err)
	}
	var out bytes.Buffer
	if err := report.Text(io.Writer(&out), result, report.TextSettings{}); err != nil {
		b.Fatal(err)
	}
	return out.Bytes()
}

func export(ctx context.Context, address string, batches []ptrace.Traces) error {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	client := ptraceotlp.NewGRPCClient(conn)
	for _, td := range batches {
		if _, err := client.Export(ctx, ptraceotlp.NewExportRequestFromTraces(td)); err != nil {
			return err
		}
	}
	return nil
}

// benchBatches is one trace: calls of clients and servers of ten services, ten
// attributes a span, children before parents as SDKs export them.
func benchBatches(spans, batches int) []ptrace.Traces {
	out := make([]ptrace.Traces, batches)
	for i := range out {
		out[i] = ptrace.NewTraces()
	}
	for i := spans - 1; i >= 0; i-- {
		rs := out[(spans-1-i)*batches/spans].ResourceSpans().AppendEmpty()
		service := fmt.Sprint("svc-", i%10)
		rs.Resource().Attributes().PutStr("service.name", service)
		rs.Resource().Attributes().PutStr("service.instance.id", service)
		fillSpan(rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty(), i)
	}
	return out
}

func fillSpan(s ptrace.Span, i int) {
	s.SetTraceID(pcommon.TraceID{1, 2, 3})
	s.SetSpanID(benchID(i + 1))
	s.SetName(fmt.Sprint("work ", i))
	s.SetKind(ptrace.SpanKindServer)
	if i%2 == 1 {
		s.SetKind(ptrace.SpanKindClient)
	}
	if i == 0 {
		s.SetName("root")
	} else {
		s.SetParentSpanID(benchID((i-1)/2 + 1))
	}
	s.SetStartTimestamp(pcommon.Timestamp(1e18 + i*1000))
	s.SetEndTimestamp(pcommon.Timestamp(2e18 - i*1000))
	for a := range 8 {
		s.Attributes().PutStr(fmt.Sprint("attribute.", a), fmt.Sprint("value ", i%50, a))
	}
	s.Attributes().PutInt("item", int64(i))
	s.Attributes().PutInt("http.response.status_code", 200)
}

func benchID(n int) (id pcommon.SpanID) {
	binary.BigEndian.PutUint64(id[:], uint64(n))
	return id
}
