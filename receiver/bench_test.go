//go:build unix

package receiver_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"

	"github.com/followspan/followspan/internal/otlp/otlptest"
	"github.com/followspan/followspan/receiver"
	"github.com/followspan/followspan/trace"
)

// BenchmarkExport compares what a span costs a server in processor time, user and
// system and the garbage collector's part included, under the default GC:
//
//   - floor reads the request and does not look at it,
//   - pdata decodes it as the OpenTelemetry Collector does and drops it,
//   - followspan is the receiver, whose Sink keeps everything.
//
// The sender is a process of its own, so that its costs do not count.
func BenchmarkExport(b *testing.B) {
	for _, l := range []load{
		{Protocol: "grpc"}, {Protocol: "grpc", Gzip: true}, {Protocol: "grpc", Distinct: true},
		{Protocol: "http"}, {Protocol: "http", Gzip: true}, {Protocol: "http", Distinct: true},
	} {
		b.Run(l.String()+"/floor", func(b *testing.B) { measure(b, l, serveFloor) })
		b.Run(l.String()+"/pdata", func(b *testing.B) { measure(b, l, servePdata) })
		b.Run(l.String()+"/followspan", func(b *testing.B) { measureReceiver(b, l) })
	}
	json := load{Protocol: "http", JSON: true}
	b.Run(json.String()+"/followspan", func(b *testing.B) { measureReceiver(b, json) })
}

// measure reports what the process uses while another one sends b.N requests.
func measure(b *testing.B, l load, serve func(b *testing.B, protocol string) (address string)) {
	l.Address, l.Requests = serve(b, l.Protocol), b.N
	runtime.GC()
	b.ResetTimer()
	before := processorTime(b)
	l.run(b)
	used := processorTime(b) - before
	b.StopTimer()
	b.ReportMetric(float64(used.Nanoseconds())/float64(b.N*otlptest.SpansPerRequest), "cpu-ns/span")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*otlptest.SpansPerRequest), "ns/span")
}

func measureReceiver(b *testing.B, l load) {
	sink := &memory{}
	measure(b, l, func(b *testing.B, protocol string) string {
		s := start(b, receiver.Settings{}, sink)
		if protocol == "grpc" {
			return s.GRPCAddr().String()
		}
		return s.HTTPAddr().String()
	})
	spans, blocks := 0, map[*trace.Block]bool{}
	var bytes int64
	for _, batch := range sink.batches {
		spans += len(batch.Spans)
		for _, s := range batch.Spans {
			if block := s.Block(); !blocks[block] {
				blocks[block] = true
				bytes += block.Size()
			}
		}
	}
	if spans != b.N*otlptest.SpansPerRequest {
		b.Fatalf("the sink has %d spans, want %d", spans, b.N*otlptest.SpansPerRequest)
	}
	b.ReportMetric(float64(bytes)/float64(spans), "B/span")
}

// processorTime is what the process has used, the garbage collector's part included.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// serveFloor reads requests as cheaply as its libraries allow.
func serveFloor(b *testing.B, protocol string) string {
	if protocol == "http" {
		return serveHTTP(b, func(body []byte) error {
			if len(body) == 0 {
				return errors.New("empty")
			}
			return nil
		})
	}
	s := grpc.NewServer(grpc.ForceServerCodecV2(discardingCodec{}), grpc.ReadBufferSize(collectorReadBuffer))
	s.RegisterService(&grpc.ServiceDesc{
		ServiceName: "opentelemetry.proto.collector.trace.v1.TraceService",
		HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{MethodName: "Export", Handler: func(_ any, _ context.Context, receive func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			return struct{}{}, receive(nil)
		}}},
	}, nil)
	return serveGRPC(b, s)
}

type discardingCodec struct{}

func (discardingCodec) Name() string                         { return "proto" }
func (discardingCodec) Marshal(any) (mem.BufferSlice, error) { return nil, nil }
func (discardingCodec) Unmarshal(mem.BufferSlice, any) error { return nil }

// collectorReadBuffer is how much of a connection the Collector's receiver reads at once.
const collectorReadBuffer = 512 << 10

// servePdata decodes with pdata and drops the spans.
func servePdata(b *testing.B, protocol string) string {
	if protocol == "http" {
		return serveHTTP(b, func(body []byte) error {
			r := ptraceotlp.NewExportRequest()
			if err := r.UnmarshalProto(body); err != nil {
				return err
			}
			_, err := dropping{}.Export(context.Background(), r)
			return err
		})
	}
	s := grpc.NewServer(grpc.MaxRecvMsgSize(receiver.DefaultMaxRequestBytes), grpc.ReadBufferSize(collectorReadBuffer))
	ptraceotlp.RegisterGRPCServer(s, dropping{})
	return serveGRPC(b, s)
}

type dropping struct {
	*ptraceotlp.UnimplementedGRPCServer
}

func (dropping) Export(_ context.Context, r ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	if r.Traces().SpanCount() != otlptest.SpansPerRequest {
		return ptraceotlp.ExportResponse{}, fmt.Errorf("%d spans", r.Traces().SpanCount())
	}
	return ptraceotlp.NewExportResponse(), nil
}

func serveGRPC(b *testing.B, s *grpc.Server) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() { _ = s.Serve(l) })
	b.Cleanup(func() {
		s.Stop()
		serving.Wait()
	})
	return l.Addr().String()
}

var (
	bodies      = sync.Pool{New: func() any { return new(bytes.Buffer) }}
	gzipReaders = sync.Pool{New: func() any { return new(gzip.Reader) }}
)

// serveHTTP hands the bodies of requests, decompressed, to take.
func serveHTTP(b *testing.B, take func(body []byte) error) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := bodies.Get().(*bytes.Buffer)
		defer bodies.Put(body)
		err := read(body, r)
		if err == nil {
			err = take(body.Bytes())
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	})}
	var serving sync.WaitGroup
	serving.Go(func() { _ = s.Serve(l) })
	b.Cleanup(func() {
		_ = s.Close()
		serving.Wait()
	})
	return l.Addr().String()
}

func read(body *bytes.Buffer, r *http.Request) error {
	body.Reset()
	from := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		z := gzipReaders.Get().(*gzip.Reader)
		defer gzipReaders.Put(z)
		if err := z.Reset(r.Body); err != nil {
			return err
		}
		from = z
	}
	_, err := body.ReadFrom(from)
	return err
}
