//go:build unix

package receiver_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"

	"github.com/followspan/followspan/receiver"
)

const spansPerRequest = 100

// typical is a request as a busy service sends it: about 520 bytes and 10
// attributes a span.
func typical(n int) ptraceotlp.ExportRequest {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	for i, key := range []string{"service.name", "service.instance.id", "host.id", "telemetry.sdk.language"} {
		rs.Resource().Attributes().PutStr(key, fmt.Sprint("checkout-", i))
	}
	ss := rs.ScopeSpans().AppendEmpty()
	ss.Scope().SetName("go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp")
	start := time.Unix(1_700_000_000, 0)
	for i := range spansPerRequest {
		id := n*spansPerRequest + i
		s := ss.Spans().AppendEmpty()
		s.SetTraceID([16]byte{byte(id >> 24), byte(id >> 16), byte(id >> 8), 7, 15: 1})
		s.SetSpanID(spanID(id))
		s.SetParentSpanID(spanID(id - 1))
		s.SetName("POST /order/{id}")
		s.SetKind(ptrace.SpanKindServer)
		s.SetStartTimestamp(pcommon.NewTimestampFromTime(start.Add(time.Duration(id) * time.Millisecond)))
		s.SetEndTimestamp(s.StartTimestamp() + 5_000_000)
		a := s.Attributes()
		a.PutStr("http.request.method", "POST")
		a.PutStr("url.path", fmt.Sprint("/order/", id))
		a.PutStr("url.scheme", "https")
		a.PutStr("http.route", "/order/{id}")
		a.PutStr("server.address", "checkout.shop.svc.cluster.local")
		a.PutInt("server.port", 8443)
		a.PutInt("http.response.status_code", 200)
		a.PutStr("client.address", "10.0.42.17")
		a.PutStr("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126")
		a.PutStr("order.id", fmt.Sprintf("ord-%08d", id))
	}
	return ptraceotlp.NewExportRequestFromTraces(td)
}

func requests(b *testing.B) (all [][]byte) {
	for i := range 50 {
		all = append(all, []byte(inProtobuf(b, typical(i))))
	}
	return all
}

// dropping is what the receiver is measured against: grpc-go and pdata as the
// OpenTelemetry Collector uses them, and every span thrown away.
type dropping struct {
	*ptraceotlp.UnimplementedGRPCServer
}

func (dropping) Export(_ context.Context, r ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	if r.Traces().SpanCount() != spansPerRequest {
		return ptraceotlp.ExportResponse{}, fmt.Errorf("%d spans", r.Traces().SpanCount())
	}
	return ptraceotlp.NewExportResponse(), nil
}

func serveDropping(b *testing.B) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	s := grpc.NewServer(grpc.MaxRecvMsgSize(receiver.DefaultMaxRequestBytes))
	ptraceotlp.RegisterGRPCServer(s, dropping{})
	go func() { _ = s.Serve(l) }()
	b.Cleanup(s.Stop)
	return l.Addr().String()
}

// BenchmarkExport sends requests over loopback, the sender's costs included, which
// are small: it sends bytes that are encoded already.
func BenchmarkExport(b *testing.B) {
	b.Run("grpc", func(b *testing.B) {
		exportGRPC(b, start(b, receiver.Settings{}, &memory{}).GRPCAddr().String())
	})
	b.Run("grpc/pdata-dropping", func(b *testing.B) { exportGRPC(b, serveDropping(b)) })
	b.Run("http", func(b *testing.B) {
		exportHTTP(b, start(b, receiver.Settings{}, &memory{}), protobufType, requests(b))
	})
	b.Run("http/json", func(b *testing.B) {
		exportHTTP(b, start(b, receiver.Settings{}, &memory{}), jsonType, [][]byte{[]byte(inJSON(b, typical(0)))})
	})
}

func exportGRPC(b *testing.B, address string) {
	c, all := connect(b, address), requests(b)
	perSpan(b, func(i int) error {
		var out []byte
		return c.Invoke(context.Background(), "/opentelemetry.proto.collector.trace.v1.TraceService/Export", &all[i%len(all)], &out, grpc.ForceCodecV2(bytesCodec{}))
	})
}

func exportHTTP(b *testing.B, s *receiver.Server, contentType string, all [][]byte) {
	client := http.Client{Transport: &http.Transport{}}
	b.Cleanup(client.CloseIdleConnections)
	perSpan(b, func(i int) error {
		res, err := client.Post(s.HTTPEndpoint()+"/v1/traces", contentType, bytes.NewReader(all[i%len(all)]))
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if res.StatusCode != 200 {
			return fmt.Errorf("%s", res.Status)
		}
		_, err = io.Copy(io.Discard, res.Body)
		return err
	})
}

func perSpan(b *testing.B, export func(i int) error) {
	b.ReportAllocs()
	n, before := 0, processorTime(b)
	for b.Loop() {
		if err := export(n); err != nil {
			b.Fatal(err)
		}
		n++
	}
	used := processorTime(b) - before
	b.ReportMetric(float64(used.Nanoseconds())/float64(n*spansPerRequest), "cpu-ns/span")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n*spansPerRequest), "ns/span")
}

// processorTime is what the process has used, the garbage collector's part included.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
