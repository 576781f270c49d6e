package otlp_test

import (
	"testing"

	"github.com/followspan/followspan/internal/otlp"
	"github.com/followspan/followspan/internal/otlp/otlptest"
	"github.com/followspan/followspan/trace"
)

// BenchmarkDecode is the decoder alone, under the default GC; everything is kept.
func BenchmarkDecode(b *testing.B) {
	b.Run("alike", func(b *testing.B) { benchmarkDecode(b, 50) })
	b.Run("distinct", func(b *testing.B) { benchmarkDecode(b, 1000) })
}

// benchmarkDecode decodes so many different requests again and again.
func benchmarkDecode(b *testing.B, different int) {
	r := otlptest.Protobuf('a')
	var requests [][]byte
	for range min(different, b.N) {
		requests = append(requests, r.Next())
	}
	var w trace.Builder
	d := otlp.NewDecoder(&w, otlp.Limits{})
	blocks := map[*trace.Block]bool{}
	var bytes int64
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		if _, err := d.Protobuf(requests[i%len(requests)]); err != nil {
			b.Fatal(err)
		}
		for _, s := range w.Commit() {
			if block := s.Block(); !blocks[block] {
				blocks[block] = true
				bytes += block.Size()
			}
		}
	}
	spans := float64(b.N * otlptest.SpansPerRequest)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/spans, "ns/span")
	b.ReportMetric(float64(bytes)/spans, "B/span")
}
