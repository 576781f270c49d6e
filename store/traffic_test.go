package store_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
)

// budget is little memory, to be filled quickly.
const budget = 32 << 20

// traffic is a store with a clock that a test moves, and what sends to it: traces
// whose spans say a lot.
type traffic struct {
	t       *testing.T
	store   *store.Store
	now     time.Time
	builder trace.Builder
	done    context.Context
	flows   map[string]trace.Flow // as handed out last, by the trace's number
}

func newTraffic(t *testing.T, s store.Settings, flows ...trace.Membership) *traffic {
	x := &traffic{t: t, now: time.Unix(1_700_000_000, 0), flows: map[string]trace.Flow{}}
	s.Now = func() time.Time { return x.now }
	if s.Bytes == 0 {
		s.Bytes = budget
	}
	x.store = store.New(flows, s)
	done, cancel := context.WithCancel(t.Context())
	cancel()
	x.done = done
	return x
}

// send sends spans of a trace, numbered from one upwards. The first of a trace is
// its origin.
func (x *traffic) send(number, from, upto int) error {
	for i := from; i <= upto; i++ {
		x.builder.Add(x.span(number, i))
	}
	err := x.store.Consume(x.done, trace.Batch{Spans: x.builder.Commit()})
	if held := x.store.Stats().Bytes; held > budget {
		x.t.Fatalf("the store takes %d bytes, %d are allowed", held, int64(budget))
	}
	return err
}

func (x *traffic) span(number, i int) *trace.SpanData {
	d := trace.SpanData{Name: "work", Kind: trace.Internal, Start: trace.Time(1e18 + i), End: trace.Time(1e18 + 1000 - i), TraceID: traceID(number)}
	d.Attrs = []trace.Attr{{Key: "text", Value: trace.StringValue(strings.Repeat(fmt.Sprintf("%d/%d ", number, i), 400))}}
	binary.BigEndian.PutUint32(d.ID[:], uint32(number))
	binary.BigEndian.PutUint32(d.ID[4:], uint32(i))
	if i > 1 {
		binary.BigEndian.PutUint32(d.Parent[:], uint32(number))
		binary.BigEndian.PutUint32(d.Parent[4:], 1)
	} else {
		d.Name = "origin"
	}
	return &d
}

func traceID(number int) (id trace.TraceID) {
	binary.BigEndian.PutUint32(id[:], uint32(number))
	return id
}

// look takes in what Next hands out.
func (x *traffic) look() (changed []trace.Flow) {
	for {
		f, err := x.store.Next(x.done)
		if err != nil {
			return changed
		}
		x.flows[f.ID] = f
		changed = append(changed, f)
	}
}

func (x *traffic) flow(number int) trace.Flow {
	x.look()
	f, ok := x.flows[traceID(number).Short()]
	if !ok {
		x.t.Fatalf("there is no flow of trace %d", number)
	}
	return f
}

// finish closes a flow, as when it was judged, and lets it go.
func (x *traffic) finish(number int) {
	f := x.flow(number)
	x.store.CloseFlow(f, trace.ByVerdicts)
	x.store.Release(f)
}

// fill sends open flows of 20 spans until the store is full, and returns how many.
func (x *traffic) fill() int {
	for n := 1; ; n++ {
		switch err := x.send(n, 1, 20); {
		case errors.Is(err, store.ErrFull):
			return n - 1
		case err != nil:
			x.t.Fatal(err)
		}
	}
}

// intact fails unless the flow has so many spans and all of them say something.
func (x *traffic) intact(number, spans int) {
	x.t.Helper()
	f := x.flow(number)
	if f.Evicted() || f.Len() != spans {
		x.t.Fatalf("flow %d has %d spans, evicted: %v; want all %d", number, f.Len(), f.Evicted(), spans)
	}
	for i := range f.Len() {
		if s := f.Span(f.Member(i)); s.Evicted() || s.TraceID() != traceID(number) {
			x.t.Fatalf("span %d of flow %d was evicted", i, number)
		}
	}
}

var ordinary = trace.Membership{Flow: "f", Origin: named("origin")}
