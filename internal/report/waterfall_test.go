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
	for _, width := range []int{160, 120, 80, 60, 10} {
		add(fmt.Sprintf("a checkout, %d wide", width), checkout, TextSettings{Width: width})
	}
	add("a checkout in ASCII", checkout, TextSettings{ASCII: true, Width: 80})
	add("one span", wholeTrace("a  a  0..5ms"), TextSettings{})
	add("gaps and copies", wholeTrace(`
api  GET /report  server  0..100ms
  store  read   server  1..20ms
  copy at=30ms
  store  write  server  70..99ms
`), TextSettings{Width: 80})
	add("a clock that is ahead", wholeTrace(`
api  GET /report  server  3000..3100ms
  api  read  client  3010..3090ms
    store  read  server  0..60ms
`), TextSettings{Width: 80})
	add("an error whose notes leave it no room", wholeTrace(`
api  GET /report/with/a/long/name  server  0..100ms  error="the ledger did not answer in time"
  store  read   server  1..20ms
  store  write  server  70..99ms
`), TextSettings{Width: 80})
	add("siblings of many kinds that repeat", wholeTrace(kinds(90, 300)), TextSettings{Width: 80})
	add("siblings that look the same", wholeTrace(loop(300)), TextSettings{Width: 80})
	add("an axis of which most is left out", wholeTrace(`
web  POST /checkout  server  0..50ms
  web  shop.v1.Checkout/PlaceWithAVeryLongName  client  2..45ms
    checkout  shop.v1.Checkout/PlaceWithAVeryLongName  server  4..40ms
      checkout  shop.v1.Inventory/Reserve  client  5..20ms
      checkout  send orders  producer  30..32ms  #pub
email  process orders  consumer  40ms..3050ms  link=#pub
  email  send mail  client  3040..3048ms  error="no such mailbox"
`), TextSettings{})
	add("one span that is an instant", wholeTrace("a  a  5..5ms"), TextSettings{Width: 80})
	add("a critical path of many parts with long names", wholeTrace(strings.ReplaceAll(kinds(1200, 1200), "query", "SELECT id, name, price, stock, discount FROM products WHERE id = ")), TextSettings{Width: 80})
	add("12,000 spans, one of which failed", crowd(12_000), TextSettings{})
	add("wide characters", wholeTrace(`
商店  订单 😀  server  0..60ms
  größe  prüfen  server  10..45ms  error="Karte abgelehnt: 世界"
    zahlung  הזמנה  internal  12..42ms
`), TextSettings{Width: 80})

	add("a link that leads nowhere", dangling(), TextSettings{Width: 80})
	add("parents that never came, answers and consumers too", incomplete(), TextSettings{Width: 80})
	add("loops of parents, and a link to itself", wholeTrace(`
api  GET /report   server    0..100ms  #a link=#a
  api  query  client   2..20ms
  a    x  internal  30..40ms  #x parent=#y
  a    y  internal  31..39ms  #y parent=#x
    b    z  internal  32..38ms
  b    self  internal  50..60ms  #s parent=#s
`), TextSettings{Width: 80})
	add("nothing but a loop of parents", wholeTrace(`
a  x  internal  30..40ms  #x parent=#y
  a  y  internal  31..39ms  #y
`), TextSettings{Width: 80})
	for _, name := range []string{"no time", "no end", "no start", "a clock that was never set", "an end before the start", "only spans without a time"} {
		add("times: "+name, timeless(name), TextSettings{Width: 80})
	}
	golden(t, "waterfall.txt", b.String())
}

// kinds are calls of so many kinds, one after the other.
func kinds(kinds, n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "api  batch  server  0..%dms\n", n)
	for i := range n {
		fmt.Fprintf(&b, "  store  query%d  internal  %d..%dms\n", i%kinds, i, i+1)
	}
	return b.String()
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

// incomplete is a trace that lacks parents, an answer and a consumer.
func incomplete() trace.Flow {
	const text = `
api  GET /report   server    0..100ms
  api   query      client    2..20ms   server.address=ledger
  api   send bill  producer  30..31ms  messaging.destination.name=bills
  render  draw     internal  40..60ms  parent=missing
    render  page   internal  45..50ms
  mail  attach     internal  70..90ms  parent=missing
`
	var edges []trace.OpenEdge
	for s, n := range newWorld(text, trace.FlowState{}).nodes {
		switch s.Kind() {
		case trace.Client:
			edges = append(edges, trace.OpenEdge{Kind: trace.WaitsForServer, Node: n})
		case trace.Producer:
			edges = append(edges, trace.OpenEdge{Kind: trace.WaitsForConsumer, Node: n})
		}
	}
	return newWorld(text, trace.FlowState{Edges: edges}).flow
}

// timeless is a trace of which a span lacks a time.
func timeless(how string) trace.Flow {
	const start, ms = sketch.Base, trace.Time(1e6)
	root := [2]trace.Time{start, start + 10*ms}
	odd := map[string][2]trace.Time{
		"no end": {start + 5*ms, 0}, "no start": {0, start + 5*ms}, "a clock that was never set": {7e9, 8e9},
		"an end before the start": {start + 5*ms, start + 2*ms},
	}[how]
	good := [2]trace.Time{start + 6*ms, start + 9*ms}
	if how == "only spans without a time" {
		root, good = odd, odd
	}
	var b trace.Builder
	for i, times := range [][2]trace.Time{root, odd, good} {
		span := &trace.SpanData{TraceID: trace.TraceID{1}, ID: spanNumber(i + 1), Name: []string{"order", "odd", "pay"}[i], Start: times[0], End: times[1]}
		b.SetResource(trace.ResourceData{Attrs: []trace.Attr{{Key: "service.name", Value: trace.StringValue("shop")}}})
		if i > 0 {
			span.Parent = spanNumber(1)
		}
		b.Add(span)
	}
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

// JSON leaves out the times that nobody knows.
func TestTraceJSONTimes(t *testing.T) {
	var b strings.Builder
	if err := TraceJSON(&b, timeless("no end"), nil); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(b.String(), `"startNano"`); got != 3 {
		t.Errorf("%d starts, want 3 in\n%s", got, b.String())
	}
	if got := strings.Count(b.String(), `"durationNano"`); got != 3 { // that of the trace, and of two spans
		t.Errorf("%d durations, want 3 in\n%s", got, b.String())
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
	for _, want := range []string{"more like batch/shard", "spans below them", "◀ match", "ERROR deadlock"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if all := waterfall(t, f, nil, TextSettings{Verbose: true}); strings.Count(all, "\n") < f.Len() {
		t.Error("not all spans are shown though that was asked")
	}
}

// crowd is a trace of n spans, each with ten below it, most of them alike. One that is
// deep in it failed.
func crowd(n int) trace.Flow {
	g := trace.NewGraph()
	w := g.OpenFlow(trace.FlowRecord{ID: "crowd", Declaration: "trace", TraceID: trace.TraceID{1}})
	type place struct {
		start, length trace.Time
		depth         int
	}
	levels := [...][2]string{{"batch", "nightly"}, {"batch", "shard"}, {"worker", "chunk"}, {"worker", "item"}, {"db", "query"}}
	places := []place{{}, {0, 60e9, 0}}
	var b trace.Builder
	for i := 1; i <= n; i++ {
		parent := (i + 8) / 10
		if i > 1 {
			p := places[parent]
			length := p.length / 11
			places = append(places, place{p.start + trace.Time((i+8)%10)*length, length * 9 / 10, p.depth + 1})
		}
		at := places[i]
		level := levels[min(at.depth, len(levels)-1)]
		span := &trace.SpanData{TraceID: trace.TraceID{1}, ID: spanNumber(i), Name: level[1], Start: sketch.Base + at.start, End: sketch.Base + at.start + at.length}
		if i > 1 {
			span.Parent = spanNumber(parent)
		}
		if i == n*2/3 {
			span.Status, span.StatusMessage = trace.Error, "deadlock"
		}
		b.SetResource(trace.ResourceData{Attrs: []trace.Attr{{Key: "service.name", Value: trace.StringValue(level[0])}}})
		b.Add(span)
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
