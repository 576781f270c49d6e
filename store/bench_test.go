package store_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
)

// BenchmarkOpenFlows is the cost of one span while so many flows are open: the
// oldest of them gets its last spans and closes, and a new one opens. The store
// holds as many spans in each case.
func BenchmarkOpenFlows(b *testing.B) {
	const most = 100_000
	for _, shared := range []bool{false, true} {
		few := 0.0
		for _, open := range []int{100, most} {
			b.Run(fmt.Sprintf("one-trace=%v/open=%d", shared, open), func(b *testing.B) {
				l := newLoad(b, open, shared)
				for l.next < most {
					l.turn()
				}
				b.ReportAllocs()
				b.ResetTimer()
				n := 0
				for b.Loop() {
					l.turn()
					n += spansPerFlow
				}
				cost := float64(b.Elapsed().Nanoseconds()) / float64(n)
				b.ReportMetric(cost, "ns/span")
				if open == 100 {
					few = cost
				} else {
					b.ReportMetric(cost/few, "ratio")
				}
			})
		}
	}
}

// BenchmarkBatch is the cost of each flow that a consumer of a batch belongs to: it
// links to the producers of all, and has arrived before them.
func BenchmarkBatch(b *testing.B) { perFlow(b, "send", batchConsumer) }

// BenchmarkStrangers is the cost of each flow that calls somebody who sends no spans,
// while as many requests of which no flow knows come for something else.
func BenchmarkStrangers(b *testing.B) { perFlow(b, "order", callsAndStrangers) }

// perFlow measures what a flow costs among few and among many, up to the end of their
// recording.
func perFlow(b *testing.B, origin string, spansOf func(flows int) []trace.Span) {
	few := 0.0
	for _, flows := range []int{500, 8000} {
		b.Run(fmt.Sprintf("flows=%d", flows), func(b *testing.B) {
			spans := spansOf(flows)
			for b.Loop() {
				s := store.New([]trace.Membership{{Flow: "f", Origin: named(origin)}}, store.Settings{Bytes: 8 << 30, Recorded: true})
				for part := range slices.Chunk(spans, 512) {
					if err := s.Consume(b.Context(), trace.Batch{Spans: part}); err != nil {
						b.Fatal(err)
					}
				}
				s.Close(trace.ByEndOfRecording)
			}
			cost := float64(b.Elapsed().Nanoseconds()) / float64(b.N*flows)
			b.ReportMetric(cost, "ns/flow")
			if few == 0 {
				few = cost
			}
			b.ReportMetric(cost/few, "ratio")
		})
	}
}

func callsAndStrangers(flows int) []trace.Span {
	host := func(name string) []trace.Attr {
		return []trace.Attr{{Key: "server.address", Value: trace.StringValue(name)}}
	}
	var builder trace.Builder
	for i := range flows {
		d := trace.SpanData{ID: trace.SpanID{1}, Name: "order", Kind: trace.Server, Start: 1e18, End: 1e18 + 100}
		binary.BigEndian.PutUint64(d.TraceID[:], uint64(2*i+1))
		builder.Add(&d)
		d.ID, d.Parent, d.Name, d.Kind, d.Attrs = trace.SpanID{2}, d.ID, "charge", trace.Client, host("bank.example")
		builder.Add(&d)
		d.Parent, d.Name, d.Kind, d.Attrs = trace.SpanID{}, "browse", trace.Server, host("shop.example")
		binary.BigEndian.PutUint64(d.TraceID[:], uint64(2*i+2))
		builder.Add(&d)
	}
	return builder.Commit()
}

// batchConsumer is a span that links to so many, and those, each in a trace of its own.
func batchConsumer(links int) []trace.Span {
	var builder trace.Builder
	consumer := trace.SpanData{TraceID: trace.TraceID{1}, ID: trace.SpanID{1}, Name: "process", Kind: trace.Consumer, Start: 1e18 + 50, End: 1e18 + 99}
	for i := range links {
		l := trace.LinkData{SpanID: trace.SpanID{2}}
		binary.BigEndian.PutUint64(l.TraceID[8:], uint64(i+1))
		consumer.Links = append(consumer.Links, l)
	}
	builder.Add(&consumer)
	for _, l := range consumer.Links {
		builder.Add(&trace.SpanData{TraceID: l.TraceID, ID: l.SpanID, Name: "send", Kind: trace.Producer, Start: 1e18, End: 1e18 + 10})
	}
	return builder.Commit()
}

// spansPerFlow is how many spans each flow of a load has.
const spansPerFlow = 10

// load is a store with a number of flows that have spans and are not complete.
type load struct {
	tb      testing.TB
	store   *store.Store
	builder trace.Builder
	next    int // the number of the next flow to open
	open    int
	shared  bool // all flows are in the run's trace
	done    context.Context
	flows   []trace.Flow // by their number modulo open, as handed out last
}

func newLoad(tb testing.TB, open int, shared bool) *load {
	l := &load{tb: tb, open: open, shared: shared, flows: make([]trace.Flow, open)}
	now := time.Unix(1_700_000_000, 0)
	flows := []trace.Membership{{Flow: "f", Origin: named("origin"), Timing: trace.Timing{Deadline: time.Hour}}}
	l.store = store.New(flows, store.Settings{Bytes: 8 << 30, Now: func() time.Time { return now }, RunTrace: trace.TraceID{15: 255}})
	done, cancel := context.WithCancel(context.Background())
	cancel()
	l.done = done
	l.builder.SetResource(trace.ResourceData{Attrs: []trace.Attr{{Key: "service.name", Value: trace.StringValue("shop")}}})
	for range open {
		l.begin()
	}
	return l
}

// turn closes the oldest flow and opens another.
func (l *load) turn() {
	old := l.next - l.open
	l.send(old, spansPerFlow/2, spansPerFlow)
	l.store.CloseFlow(l.flows[old%l.open], trace.ByVerdicts)
	l.begin()
}

// begin sends the origin of a flow and the half of its spans, of which one waits
// for its parent.
func (l *load) begin() {
	l.next++
	l.send(l.next-1, 0, spansPerFlow/2)
}

func (l *load) send(flow, from, to int) {
	for i := from; i < to; i++ {
		d := trace.SpanData{Name: "work", Kind: trace.Internal, Start: trace.Time(1e18 + i), End: trace.Time(1e18 + 100 - i)}
		d.TraceID[15] = 255
		if !l.shared {
			binary.BigEndian.PutUint64(d.TraceID[:], uint64(flow+1))
		}
		binary.BigEndian.PutUint32(d.ID[:], uint32(flow+1))
		binary.BigEndian.PutUint32(d.ID[4:], uint32(i+1))
		d.Parent = d.ID
		switch i {
		case 0:
			d.Name, d.Parent = "origin", trace.SpanID{}
		case 1: // its parent comes last
			d.Parent[7] = spansPerFlow
		case spansPerFlow - 1:
			d.Parent[7] = 1
		default:
			d.Parent[7] = byte(i/2 + 1)
		}
		l.builder.Add(&d)
	}
	if err := l.store.Consume(l.done, trace.Batch{Spans: l.builder.Commit()}); err != nil {
		l.tb.Fatal(err)
	}
	for {
		f, err := l.store.Next(l.done)
		if err != nil {
			return
		}
		n, ok := f.Origin()
		if !ok {
			l.tb.Fatal("a flow without an origin")
		}
		id := f.Span(n).ID()
		l.flows[(int(binary.BigEndian.Uint32(id[:]))-1)%l.open] = f
	}
}
