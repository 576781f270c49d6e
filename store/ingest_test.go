//go:build unix

package store_test

import (
	"runtime"
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/followspan/followspan/internal/otlp"
	"github.com/followspan/followspan/internal/otlp/otlptest"
	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
)

// flowsOf are what the stores of the benchmarks assemble: nothing, or one flow for
// each trace, whose root is the server's span and comes last.
var flowsOf = map[string][]trace.Membership{
	"none":      nil,
	"per-trace": {{Flow: "order", Origin: func(s trace.Span) bool { return s.Kind() == trace.Server }}},
}

// BenchmarkIngest compares the processor time of decoding and storing a span with
// that of decoding it, under the default GC and with everything kept, and with that of
// decoding it with the Collector's pdata, which keeps nothing.
func BenchmarkIngest(b *testing.B) {
	decode, pdata := 0.0, 0.0
	b.Run("decode-pdata", func(b *testing.B) {
		var u ptrace.ProtoUnmarshaler
		pdata = ingest(b, func(data []byte) {
			if _, err := u.UnmarshalTraces(data); err != nil {
				b.Fatal(err)
			}
		})
	})
	b.Run("decode", func(b *testing.B) {
		var kept [][]trace.Span
		d, w := newDecoder()
		decode = ingest(b, func(data []byte) { kept = append(kept, decodeRequest(b, d, w, data)) })
		runtime.KeepAlive(kept)
	})
	for _, name := range []string{"none", "per-trace"} {
		b.Run("flows="+name, func(b *testing.B) {
			s := store.New(flowsOf[name], store.Settings{Bytes: 8 << 30})
			d, w := newDecoder()
			used := ingest(b, func(data []byte) { consume(b, s, decodeRequest(b, d, w, data)) })
			b.ReportMetric(used/decode, "ratio")
			b.ReportMetric(used/pdata, "of-pdata")
		})
	}
}

func consume(b *testing.B, s *store.Store, spans []trace.Span) {
	if err := s.Consume(b.Context(), trace.Batch{Spans: spans, Sender: "127.0.0.1:4711"}); err != nil {
		b.Fatal(err)
	}
}

// ingest takes in b.N requests, all of distinct spans, and returns the processor time
// for a span in nanoseconds.
func ingest(b *testing.B, take func(request []byte)) float64 {
	const ahead = 100 // requests that are made up at a time
	requests := otlptest.Protobuf('a')
	var used time.Duration
	for left := b.N; left > 0; left -= ahead {
		var all [][]byte
		for range min(left, ahead) {
			all = append(all, requests.Next())
		}
		before := processorTime(b)
		for _, data := range all {
			take(data)
		}
		used += processorTime(b) - before
	}
	perSpan := float64(used.Nanoseconds()) / float64(b.N*otlptest.SpansPerRequest)
	b.ReportMetric(perSpan, "cpu-ns/span")
	return perSpan
}

func newDecoder() (*otlp.Decoder, *trace.Builder) {
	w := &trace.Builder{}
	return otlp.NewDecoder(w, otlp.Limits{}), w
}

func decodeRequest(b *testing.B, d *otlp.Decoder, w *trace.Builder, data []byte) []trace.Span {
	if _, err := d.Protobuf(data); err != nil {
		b.Fatal(err)
	}
	return w.Commit()
}

// BenchmarkMemory is the heap that a stored span takes, blocks and index and flows
// included, also in proportion to its bytes on the wire.
func BenchmarkMemory(b *testing.B) {
	for _, name := range []string{"none", "per-trace"} {
		b.Run("flows="+name, func(b *testing.B) {
			requests := otlptest.Protobuf('a')
			wire := 0
			before := heap()
			s := store.New(flowsOf[name], store.Settings{Bytes: 8 << 30})
			d, w := newDecoder()
			for range b.N {
				data := requests.Next()
				wire += len(data)
				consume(b, s, decodeRequest(b, d, w, data))
			}
			taken := float64(heap() - before)
			b.ReportMetric(taken/float64(b.N*otlptest.SpansPerRequest), "B/span")
			b.ReportMetric(taken/float64(wire), "B/wire-B")
			runtime.KeepAlive(s)
			runtime.KeepAlive(w)
		})
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// processorTime is what the process has used, the garbage collector's part included.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
