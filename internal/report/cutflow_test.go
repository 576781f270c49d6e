package report

import (
	"bytes"
	"testing"

	"github.com/followspan/followspan/trace"
)

// Spans of a flow that takes all memory are evicted while it goes on: what is left is
// shown, and how much is not.
func TestWhatMadeRoom(t *testing.T) {
	w := newWorld(`
shop  order  server  0..100ms
  shop  call  client  10..90ms  #call
    stock  reserve  server  20..80ms
      db  query  client  30..40ms  #query`, trace.FlowState{Losses: []trace.Loss{{What: "spans given up, since this flow alone took nearly all memory for spans; raise --memory", Count: 2}}})
	for _, label := range []string{"call", "query"} {
		w.graph.Evict(w.nodes[w.sketch.Labels[label]])
	}
	var b bytes.Buffer
	b.WriteString("== line\n" + TraceLine(w.flow, 0, TextSettings{}) + "\n")
	b.WriteString("== tree\n")
	if err := Tree(&b, w.flow, TextSettings{Width: 100}); err != nil {
		t.Fatal(err)
	}
	b.WriteString("== waterfall\n")
	if err := Waterfall(&b, w.flow, nil, TextSettings{Width: 100}); err != nil {
		t.Fatal(err)
	}
	b.WriteString("== sequence\n")
	if err := Sequence(&b, w.flow, TextSettings{Width: 100}); err != nil {
		t.Fatal(err)
	}
	b.WriteString("== JSON\n")
	if err := TraceJSON(&b, w.flow, nil); err != nil {
		t.Fatal(err)
	}
	golden(t, "madeRoom.txt", b.String())
}
