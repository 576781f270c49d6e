package run

import (
	"fmt"
	"strings"
	"testing"

	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

// Of what is odd in thousands of flows a few are told, and how many more there are.
func TestManyOddities(t *testing.T) {
	var text strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&text, "shop  order  server  %d..%dms\n  shop  early  internal  %d..%dms\n", 100*i+50, 100*i+90, 100*i, 100*i+10)
	}
	file, _, _ := strings.Cut(shopFile, "invariants:")
	r, err := check(t, t.Context(), inputs(t, file), []trace.Batch{{Spans: sketch.MustParse(text.String()).Spans()}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, w := range r.Warnings {
		if strings.Contains(w.What, "started") {
			said = append(said, w.What)
		}
	}
	if len(said) != shownOddities+1 || said[0] != "shop/early started 50ms before shop/order, which caused it" ||
		said[shownOddities] != "1995 more flows have spans that started before what caused them" {
		t.Errorf("warnings %q", said)
	}
}
