package trace_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/followspan/followspan/store/storetest"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

func TestCritical(t *testing.T) {
	tests := []struct{ name, sketch, want string }{
		{"one span", `a  a  0..10ms`, "a 0s..10ms"},
		{"of concurrent children the last to end", `
a  a  0..10ms
  b  b  1..5ms
  c  c  2..8ms`, "a 8ms..10ms, c 2ms..8ms, a 0s..2ms"},
		{"children one after another", `
a  a  0..10ms
  b  b  1..3ms
  c  c  4..8ms
    d  d  5..8ms`, "a 8ms..10ms, c 8ms..8ms, d 5ms..8ms, c 4ms..5ms, a 3ms..4ms, b 1ms..3ms, a 0s..1ms"},
		{"a child that outlives is skipped", `
a  a  0..10ms
  b  b  1..30ms
  c  c  2..3ms`, "a 3ms..10ms, c 2ms..3ms, a 0s..2ms"},
		{"a child that starts before its parent", `
a  a  5..10ms
  b  b  1..8ms`, "a 8ms..10ms, b 1ms..8ms, a 1ms..1ms"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := storetest.Flows([]trace.Membership{{Flow: "f", Opens: trace.OpensByTrace}}, sketch.MustParse(tt.sketch))[0]
			var root trace.Node
			for i := range f.Len() {
				if n := f.Member(i); f.Span(n).Name() == "a" {
					root = n
				}
			}
			var got []string
			for _, s := range f.Critical(root, nil) {
				got = append(got, fmt.Sprintf("%s %v..%v", f.Span(s.Node).Name(), s.From.Sub(sketch.Base), s.To.Sub(sketch.Base)))
			}
			if g := strings.Join(got, ", "); g != tt.want {
				t.Errorf("\n got %s\nwant %s", g, tt.want)
			}
		})
	}
}

// A child without a time, or with one that cannot be, takes no part.
func TestCriticalWithoutTimes(t *testing.T) {
	for _, tt := range []struct {
		name       string
		root, odd  [2]trace.Time
		want       time.Duration // of the path
		wantStarts trace.Time
	}{
		{"no time", [2]trace.Time{1000, 9000}, [2]trace.Time{}, 8000, 1000},
		{"no start", [2]trace.Time{1000, 9000}, [2]trace.Time{0, 5000}, 8000, 1000},
		{"no end", [2]trace.Time{1000, 9000}, [2]trace.Time{5000, 0}, 8000, 1000},
		{"an end before the start", [2]trace.Time{1000, 9000}, [2]trace.Time{5000, 2000}, 8000, 1000},
		{"over before the parent began", [2]trace.Time{1000, 9000}, [2]trace.Time{10, 20}, 8000, 1000},
		{"a parent without a start", [2]trace.Time{0, 9000}, [2]trace.Time{5000, 6000}, 0, 9000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b trace.Builder
			b.Add(&trace.SpanData{TraceID: trace.TraceID{1}, ID: trace.SpanID{1}, Start: tt.root[0], End: tt.root[1]})
			b.Add(&trace.SpanData{TraceID: trace.TraceID{1}, ID: trace.SpanID{2}, Start: tt.odd[0], End: tt.odd[1]})
			spans := b.Commit()
			g := trace.NewGraph()
			root := g.Add(spans[0], 0)
			g.SetParent(g.Add(spans[1], 0), root)
			total, from := time.Duration(0), trace.Time(math.MaxUint64)
			for _, s := range g.View().Critical(root, nil) {
				total, from = total+s.To.Sub(s.From), min(from, s.From)
			}
			if total != tt.want || from != tt.wantStarts {
				t.Errorf("%v from %d, want %v from %d", total, from, tt.want, tt.wantStarts)
			}
		})
	}
}
