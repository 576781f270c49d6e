package trace_test

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"runtime/metrics"
	"testing"
	"time"

	"github.com/followspan/followspan/trace"
)

// hold fills blocks with n spans that differ, and returns a span of each block.
func hold(n int) (blocks []trace.Span) {
	var w trace.Builder
	w.SetResource(trace.ResourceData{Attrs: []trace.Attr{{Key: "service.name", Value: trace.StringValue("checkout")}}})
	d := trace.SpanData{Name: "place order", Attrs: make([]trace.Attr, 10), Events: []trace.EventData{{Name: "retry"}}}
	for i := range n {
		binary.BigEndian.PutUint64(d.TraceID[:], uint64(i+1))
		for j := range d.Attrs {
			d.Attrs[j] = trace.Attr{Key: "key", Value: trace.IntValue(int64(i))}
		}
		d.Attrs[0].Value = trace.StringValue(fmt.Sprint("order ", i))
		w.Add(&d)
		if i%100 == 99 {
			if s := w.Commit()[99]; len(blocks) == 0 || blocks[len(blocks)-1].Block() != s.Block() {
				blocks = append(blocks, s)
			}
		}
	}
	return blocks
}

// scannable is how much of the heap the garbage collector has to walk.
func scannable() uint64 {
	runtime.GC()
	sample := []metrics.Sample{{Name: "/gc/scan/heap:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// What the garbage collector walks must not grow with the spans that are held.
func TestGarbageCollectorSkipsSpans(t *testing.T) {
	const spans = 200_000
	before := scannable()
	blocks := hold(spans)
	grown := float64(int64(scannable()-before)) / spans
	if grown > 0.5 {
		t.Errorf("the garbage collector walks %.1f bytes a span", grown)
	}
	runtime.KeepAlive(blocks)
}

// BenchmarkGC is a whole garbage collection while so many spans are held.
func BenchmarkGC(b *testing.B) {
	for _, spans := range []int{1000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint("spans=", spans), func(b *testing.B) {
			blocks := hold(spans)
			runtime.GC()
			start := time.Now()
			for b.Loop() {
				runtime.GC()
			}
			b.ReportMetric(float64(time.Since(start).Microseconds())/float64(b.N), "µs/gc")
			runtime.KeepAlive(blocks)
		})
	}
}
