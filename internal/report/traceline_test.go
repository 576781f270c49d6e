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
		{"what it led to in other traces does not count", `
shop  order  producer  0..100ms  #order
email  mail  consumer  200..300ms  link=#order  error`, 0, "     100ms    1 span         ok  shop order, goes on in trace 02000000"},
		{"in several", `
shop  order  producer  0..100ms  #order
email  mail  consumer  200..300ms  link=#order
stock  pack  consumer  200..300ms  link=#order`, 0, "     100ms    1 span         ok  shop order, goes on in 2 traces"},
		{"a name that would move the cursor", "shop  or\x1b[2Jder  0..100ms", 0, `     100ms    1 span         ok  shop or\x1b[2Jder`},
	} {
		f := newWorld(c.sketch, trace.FlowState{}).flow
		got, found := strings.CutPrefix(TraceLine(f, c.late, TextSettings{}), f.TraceID.String()[:8])
		if !found || got != c.want {
			t.Errorf("%s:\n got %q\nwant %q", c.why, got, c.want)
		}
	}
}

// On a terminal the name is cut, and nothing else; ids may be shown with more digits.
func TestTraceLineFits(t *testing.T) {
	f := newWorld("shop  "+strings.Repeat("決済", 40)+"  0..100ms\n  db  query  20..30ms", trace.FlowState{}).flow
	for s, want := range map[TextSettings]string{
		{Width: 80}:                "01000000     100ms   2 spans         ok  shop 決済決済決済決済決済…, 2 services",
		{Width: 20}:                "01000000     100ms   2 spans         ok  shop 決済決済決…, 2 services",
		{Width: 80, ASCII: true}:   "01000000     100ms   2 spans         ok  shop ???????????????????..., 2 services",
		{Width: 80, Verbose: true}: "01000000     100ms   2 spans         ok  shop " + strings.Repeat("決済", 40) + ", 2 services",
		{Width: 80, Digits: 16}:    "0100000000000000     100ms   2 spans         ok  shop 決済決済決済…, 2 services",
	} {
		if got := TraceLine(f, 0, s); got != want {
			t.Errorf("%+v:\n got %s\nwant %s", s, got, want)
		}
	}
}

// A span that lacks a time does not make a trace last for decades.
func TestTraceLineTimes(t *testing.T) {
	for how, want := range map[string]string{
		"no time": "10ms", "no end": "10ms", "no start": "10ms", "a clock that was never set": "10ms",
		"an end before the start": "10ms", "only spans without a time": "no time",
	} {
		if got := strings.Fields(TraceLine(timeless(how), 0, TextSettings{})[8:])[:2]; !strings.HasPrefix(strings.Join(got, " "), want) {
			t.Errorf("%s: took %q, want %s", how, got, want)
		}
	}
}
