package trace_test

import (
	"fmt"
	"strings"
	"testing"

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
