package report

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/store/storetest"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

// wholeTrace is the first trace of a sketch, with what it led to.
func wholeTrace(text string) trace.Flow {
	return storetest.Flows([]trace.Membership{{Flow: "trace", Opens: trace.OpensByTrace}}, sketch.MustParse(text))[0]
}

func waterfall(t *testing.T, f trace.Flow, marked []trace.Node, s TextSettings) string {
	t.Helper()
	var b strings.Builder
	if err := Waterfall(&b, f, marked, s); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const checkoutTrace = `
frontend  POST /checkout  server  0..60ms
  frontend  POST  client  10..45ms  server.address=payment
    payment  POST /charge  server  12..42ms
      payment  authorize  internal  13..20ms  error="card declined"
      payment  authorize  internal  25..40ms
  frontend  send orders  producer  50..52ms  #pub
  frontend  instant  internal  55..55ms
email  process orders  consumer  70..95ms  link=#pub
  email  render  internal  71..72ms
  email  send mail  client  75..90ms
`

func TestWaterfall(t *testing.T) {
	var b strings.Builder
	add := func(name string, f trace.Flow, s TextSettings) {
		fmt.Fprintf(&b, "=== %s\n%s\n", name, waterfall(t, f, nil, s))
	}
	checkout := wholeTrace(checkoutTrace)
	add("a checkout", checkout, TextSettings{})
	add("wide", checkout, TextSettings{Width: 160})
	add("narrow", checkout, TextSettings{Width: 60})
	add("narrower than can be", checkout, TextSettings{Width: 10})
	add("ASCII", checkout, TextSettings{ASCII: true})
	add("one span", wholeTrace("a  a  0..5ms"), TextSettings{})
	add("gaps and copies", wholeTrace(`
a  root  server  0..100ms
  b  first   server  1..20ms
  copy at=30ms
  b  second  server  70..99ms
`), TextSettings{})
	add("a link that leads nowhere", dangling(), TextSettings{})
	add("parents that never came", orphans(), TextSettings{})
	add("a span without a time", timeless(), TextSettings{})
	golden(t, "waterfall.txt", b.String())
}

// dangling is a trace with a link to one that was not received.
func dangling() trace.Flow {
	p := storetest.New([]trace.Membership{{Flow: "trace", Opens: trace.OpensByTrace}}, store.Settings{})
	for _, a := range sketch.MustParse("a  send  producer  0..1ms  #a\nb  process  consumer  5..9ms  link=#a\n  b  inner  6..7ms").Arrivals {
		if a.Span.Service() == "b" {
			p.Arrive(a)
		}
	}
	return p.Close(trace.ByEndOfRecording)[0]
}

// timeless is a trace in which a span has neither start nor end.
func timeless() trace.Flow {
	var b trace.Builder
	b.Add(&trace.SpanData{TraceID: trace.TraceID{1}, ID: trace.SpanID{1}, Name: "root", Start: sketch.Base, End: sketch.Base + 1e6})
	b.Add(&trace.SpanData{TraceID: trace.TraceID{1}, ID: trace.SpanID{2}, Parent: trace.SpanID{1}, Name: "no time"})
	st := store.New([]trace.Membership{{Flow: "trace", Opens: trace.OpensByTrace}}, store.Settings{})
	if err := st.Consume(context.Background(), trace.Batch{Spans: b.Commit()}); err != nil {
		panic(err)
	}
	st.Close(trace.ByEndOfRecording)
	f, err := st.Next(context.Background())
	if err != nil {
		panic(err)
	}
	return f
}

// What steers a terminal in a span's name does not reach it; colours only repeat
// what the text says.
func TestWaterfallColors(t *testing.T) {
	f := wholeTrace("a\x1b[31m  evil\x1b]0;x\x07  0..5ms\n  b  inner  1..2ms error")
	plain := waterfall(t, f, nil, TextSettings{})
	colored := waterfall(t, f, nil, TextSettings{Color: true})
	if strings.Contains(plain, "\x1b") {
		t.Errorf("an escape sequence of a span:\n%q", plain)
	}
	if got := coloring.ReplaceAllString(colored, ""); got != plain {
		t.Errorf("without its colours\n%s\nwant\n%s", got, plain)
	}
	if colored == plain {
		t.Error("there are no colours")
	}
}

// A big trace stays readable, and a marked span is in it.
func TestWaterfallOfManySpans(t *testing.T) {
	f := crowd(12_000)
	marked := f.Member(7_777)
	out := waterfall(t, f, []trace.Node{marked}, TextSettings{})
	if n := strings.Count(out, "\n"); n > treeLines+20 {
		t.Errorf("%d lines", n)
	}
	for _, want := range []string{"11,", "more like worker/step", "◀ match"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if all := waterfall(t, f, nil, TextSettings{Verbose: true}); strings.Count(all, "\n") < f.Len() {
		t.Error("not all spans are shown though that was asked")
	}
}

// crowd is a trace of n spans, most of them alike.
func crowd(n int) trace.Flow {
	g := trace.NewGraph()
	w := g.OpenFlow(trace.FlowRecord{ID: "crowd", Declaration: "trace", TraceID: trace.TraceID{1}})
	var b trace.Builder
	add := func(service, name string, id, parent int, start, end trace.Time) {
		b.SetResource(trace.ResourceData{Attrs: []trace.Attr{{Key: "service.name", Value: trace.StringValue(service)}}})
		b.Add(&trace.SpanData{TraceID: trace.TraceID{1}, ID: spanNumber(id), Parent: spanNumber(parent), Name: name, Start: sketch.Base + start, End: sketch.Base + end})
	}
	add("shop", "batch", 1, 0, 0, trace.Time(n)*1e6)
	for i := 2; i <= n; i++ {
		parent := 1
		if i%10 != 0 {
			parent = i / 10 * 10
		}
		add("worker", "step", i, max(parent, 1), trace.Time(i)*1e6, trace.Time(i)*1e6+5e5)
	}
	nodes := map[trace.SpanID]trace.Node{}
	for _, s := range b.Commit() {
		node := g.Add(s, 0)
		nodes[s.ID()] = node
		if p, ok := nodes[s.ParentID()]; ok {
			g.SetParent(node, p)
		}
		w.Join(node, trace.ByTrace)
	}
	return w.Freeze(trace.FlowState{Origin: trace.None, Trigger: trace.None, State: trace.Closed, Reason: trace.ByEndOfRecording})
}

func spanNumber(n int) (id trace.SpanID) {
	for i := range 8 {
		id[7-i] = byte(n >> (8 * i))
	}
	return id
}

func BenchmarkWaterfall(b *testing.B) {
	f := crowd(12_000)
	for b.Loop() {
		var out strings.Builder
		if err := Waterfall(&out, f, nil, TextSettings{}); err != nil {
			b.Fatal(err)
		}
	}
}
