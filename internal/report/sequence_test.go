package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/followspan/followspan/trace"
)

func sequenceOf(t testing.TB, f trace.Flow, s TextSettings) string {
	t.Helper()
	var b strings.Builder
	if err := Sequence(&b, f, s); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const orderSketch = `
gateway  POST /order  server  0..180ms
  checkout  place  server  10..170ms
    checkout  query  client  12..18ms  db.system.name=postgresql
    payment  charge  server  20..60ms  error="card; declined #2"
      payment  retry  internal  30..50ms  error=again
    checkout  send orders  producer  70..71ms  #send
    checkout  wait  internal  70..70ms
email  process orders  consumer  200..260ms  link=#send
  email  render  internal  210..220ms  parent=missing
  email  mail  client  230..255ms
`

// loop is a trace with n spans below the first that look the same, but for one.
func loop(n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "shop  batch  server  0..%dms\n", 2*n)
	for i := range n {
		word := ""
		if i == n/2 {
			word = " error"
		}
		fmt.Fprintf(&b, "  stock  reserve  server  %d..%dms%s\n", 2*i, 2*i+1+i%2, word)
	}
	return b.String()
}

func TestSequence(t *testing.T) {
	var b strings.Builder
	add := func(name, text string) { fmt.Fprintf(&b, "=== %s\n%s\n", name, text) }
	add("an order", sequenceOf(t, newWorld(orderSketch, trace.FlowState{}).flow, TextSettings{}))
	add("errors wherever they are", sequenceOf(t, newWorld(`
web  POST /order  server  0..100ms  error="out of stock"
  web  reserve  client  1..20ms  error="timeout"
    stock  reserve  server  2..50ms
  web  pay  client  21..30ms  error="refused"
    bank  pay  server  22..29ms  error="no money"
  web  lookup  client  31..32ms  error="no such host"
  web  query  client  33..34ms  error="gone"  db.system.name=mysql
  web  send  producer  35..36ms  #sent
mail  process  consumer  40..50ms  link=#sent  error
`, trace.FlowState{}).flow, TextSettings{}))
	add("12,000 spans", sequenceOf(t, newWorld(loop(12_000), trace.FlowState{}).flow, TextSettings{}))
	add("nothing", sequenceOf(t, emptyFlow(), TextSettings{}))
	golden(t, "sequence.txt", b.String())
}

// Every call of a diagram is answered, which Mermaid insists on.
func TestSequenceBalanced(t *testing.T) {
	for _, text := range []string{orderSketch, loop(300)} {
		for _, s := range []TextSettings{{}, {Verbose: true}} {
			got := sequenceOf(t, newWorld(text, trace.FlowState{}).flow, s)
			if calls, answers := strings.Count(got, ">>+"), strings.Count(got, ">>-")+strings.Count(got, "--x-"); calls != answers || calls == 0 {
				t.Errorf("%d calls and %d answers in\n%s", calls, answers, got)
			}
		}
	}
}

func TestTraceJSON(t *testing.T) {
	f := newWorld(orderSketch, trace.FlowState{}).flow
	var b bytes.Buffer
	if err := TraceJSON(&b, f, []trace.Node{0}); err != nil {
		t.Fatal(err)
	}
	golden(t, "trace.json", b.String())
	b.Reset()
	if err := TraceJSONLine(&b, f); err != nil {
		t.Fatal(err)
	}
	var line map[string]any
	if err := json.Unmarshal(b.Bytes(), &line); err != nil || line["spanCount"] != 7.0 || line["spans"] != nil || strings.Count(b.String(), "\n") != 1 {
		t.Errorf("%v, error %v", line, err)
	}
}

// A trace that is as deep as it is long is not written as spaces.
func TestTraceJSONDeep(t *testing.T) {
	const spans = 12_000
	var b trace.Builder
	for i := 1; i <= spans; i++ {
		b.Add(&trace.SpanData{TraceID: trace.TraceID{1}, ID: spanNumber(i), Parent: spanNumber(i - 1), Name: "retry"})
	}
	g := trace.NewGraph()
	w := g.OpenFlow(trace.FlowRecord{ID: "deep", Declaration: "trace", TraceID: trace.TraceID{1}})
	parent := trace.None
	for _, s := range b.Commit() {
		node := g.Add(s, 0)
		if parent != trace.None {
			g.SetParent(node, parent)
		}
		w.Join(node, trace.ByTrace)
		parent = node
	}
	f := w.Freeze(trace.FlowState{Origin: trace.None, Trigger: trace.None, State: trace.Closed, Reason: trace.ByEndOfRecording})
	var out bytes.Buffer
	if err := TraceJSON(&out, f, nil); err != nil {
		t.Fatal(err)
	}
	if n, each := strings.Count(out.String(), `"retry"`), out.Len()/spans; n != spans || each > 300 {
		t.Errorf("%d spans in %d bytes each", n, each)
	}
}

// No line of a waterfall is wider than the page.
func TestWaterfallWidth(t *testing.T) {
	for _, text := range []string{orderSketch, loop(500), strings.ReplaceAll(orderSketch, "charge", "größe 世界 "+strings.Repeat("x", 200))} {
		f := wholeTrace(text)
		for width := leastWidth; width < 200; width += 7 {
			for _, s := range []TextSettings{{Width: width}, {Width: width, ASCII: true}} {
				for line := range strings.SplitSeq(waterfall(t, f, []trace.Node{0, 3}, s), "\n") {
					if n := cells.StringWidth(line); n > width {
						t.Errorf("width %d: a line of %d cells: %s", width, n, line)
					}
				}
			}
		}
	}
}
