package watch_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/followspan/followspan/internal/watch"
	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

// watched plays a sketch in the time of a bubble and returns what was told, when.
func watched(t *testing.T, text string) (told []string) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(sketch.Base.Std()))
		st := store.New([]trace.Membership{watch.Membership}, store.Settings{})
		done := make(chan error)
		go func() {
			done <- watch.Traces(t.Context(), st, func(f trace.Flow, late int) {
				at := time.Since(sketch.Base.Std()).Round(100 * time.Millisecond)
				told = append(told, fmt.Sprintf("%v: %s, %d spans, %d late", at, f.Span(f.Member(0)).Name(), f.Len(), late))
			})
		}()
		for _, a := range sketch.MustParse(text).Arrivals {
			time.Sleep(time.Until(a.At.Std()))
			if err := st.Consume(t.Context(), trace.Batch{Spans: []trace.Span{a.Span}}); err != nil {
				t.Error(err)
			}
		}
		time.Sleep(20 * time.Second)
		st.Close(trace.ByEndOfRun)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return told
}

func TestTraces(t *testing.T) {
	for _, c := range []struct {
		why, sketch string
		want        []string
	}{
		{"nothing", "", nil},
		{"each when it is complete", `
shop  order  0..100ms
  db  query  20..30ms
cart  show   0..900ms`, []string{"600ms: query, 2 spans, 0 late", "1.4s: show, 1 spans, 0 late"}},
		{"one that lacks a span, when nothing came for a while", `
shop  order  0..100ms  internal  parent=missing
shop  pay    1s..2s    internal parent=missing
  db  query  1s..3s`, []string{"3.1s: order, 1 spans, 0 late", "6s: pay, 2 spans, 0 late"}},
		{"once more when spans came late, together", `
shop  order  0..100ms
  db  query  20..30ms  at=5s
  db  commit  30..40ms  at=5.2s`, []string{"600ms: order, 1 spans, 0 late", "8.2s: order, 3 spans, 2 late"}},
		{"not again for a copy", `
shop  order  0..100ms
copy  at=2s`, []string{"600ms: order, 1 spans, 0 late"}},
		{"not again for what another trace did later, which is told of by itself", `
shop   order  producer  0..100ms  #order
email  mail   consumer  5s..6s  link=#order`, []string{"600ms: order, 1 spans, 0 late", "6.5s: mail, 1 spans, 0 late"}},
		{"all, before it ends", `
shop  order  0..20s  internal parent=missing`, []string{"23s: order, 1 spans, 0 late"}},
	} {
		t.Run(c.why, func(t *testing.T) {
			if diff := cmp.Diff(c.want, watched(t, c.sketch)); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
		})
	}
}

// What waits is told when the store is closed.
func TestTracesAtTheEnd(t *testing.T) {
	st := store.New([]trace.Membership{watch.Membership}, store.Settings{})
	spans := sketch.MustParse("shop  order  0..1s  parent=missing").Spans()
	if err := st.Consume(t.Context(), trace.Batch{Spans: spans}); err != nil {
		t.Fatal(err)
	}
	st.Close(trace.ByEndOfRun)
	told := 0
	if err := watch.Traces(t.Context(), st, func(trace.Flow, int) { told++ }); err != nil || told != 1 {
		t.Errorf("told %d times, %v; want once", told, err)
	}
}

func TestTracesEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	st := store.New([]trace.Membership{watch.Membership}, store.Settings{})
	if err := watch.Traces(ctx, st, func(trace.Flow, int) {}); err == nil {
		t.Error("no error")
	}
}

// What was told of makes room for what comes, however much that is.
func TestTracesMakeRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := store.New([]trace.Membership{watch.Membership}, store.Settings{Bytes: 32 << 20})
		told := 0
		done := make(chan error)
		go func() { done <- watch.Traces(t.Context(), st, func(trace.Flow, int) { told++ }) }()
		var w trace.Builder
		const traces = 300
		for i := range traces {
			for j := range 50 {
				text := strings.Repeat(fmt.Sprint(i, " ", j, " "), 1000)
				now := trace.TimeOf(time.Now())
				w.Add(&trace.SpanData{TraceID: trace.TraceID{1, byte(i >> 8), byte(i)}, ID: trace.SpanID{1, byte(j)}, Name: "work", Start: now, End: now + 1,
					Attrs: []trace.Attr{{Key: "text", Value: trace.StringValue(text)}}})
			}
			if err := st.Consume(t.Context(), trace.Batch{Spans: w.Commit()}); err != nil {
				t.Fatalf("trace %d: %v", i, err)
			}
			time.Sleep(100 * time.Millisecond) // long before a deadline
		}
		st.Close(trace.ByEndOfRun)
		if err := <-done; err != nil || told != traces || st.Stats().Evicted == 0 {
			t.Errorf("told of %d traces, evicted %d, %v; want all told and some evicted", told, st.Stats().Evicted, err)
		}
	})
}
