package report

import (
	"strings"
	"testing"

	"github.com/followspan/followspan/trace"
)

func TestTraceLine(t *testing.T) {
	for _, c := range []struct {
		why, sketch string
		late        int
		want        string
	}{
		{"one span", `shop  order  0..100ms`, 0, "     100ms    1 span         ok  shop order"},
		{"services and errors", `
shop  order  0..100ms  error
  db  query  20..30ms
  db  commit  30..40ms  error`, 0, "     100ms   3 spans   2 errors  shop order, 2 services"},
		{"late spans, which may lie outside of the root", `
shop  order  0..100ms
  db  query  20..300ms`, 1, "     300ms   2 spans         ok  shop order, 2 services (1 span came late)"},
		{"the parent did not arrive", `
shop  order  0..100ms  parent=missing`, 0, "     100ms    1 span         ok  shop order (its parent did not arrive)"},
		{"a name that would move the cursor", "shop  or\x1b[2Jder  0..100ms", 0, `     100ms    1 span         ok  shop or\x1b[2Jder`},
	} {
		f := newWorld(c.sketch, trace.FlowState{}).flow
		got, found := strings.CutPrefix(TraceLine(f, c.late, TextSettings{}), f.TraceID.String()[:8])
		if !found || got != c.want {
			t.Errorf("%s:\n got %q\nwant %q", c.why, got, c.want)
		}
	}
}

func TestShortTrace(t *testing.T) {
	for want, id := range map[string]trace.TraceID{"4bf92f35": {0x4b, 0xf9, 0x2f, 0x35, 1}, "ab000000": {8: 0xab}, "00000001": {0: 0, 3: 1}} {
		if got := shortTrace(id); got != want {
			t.Errorf("%v: %s, want %s", id, got, want)
		}
	}
}
