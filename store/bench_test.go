package store_test

import (
	"context"
	"encoding/binary"
	"fmt"
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
