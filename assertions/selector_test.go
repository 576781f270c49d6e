package assertions_test

import (
	"strings"
	"testing"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/store/storetest"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

func TestSelector(t *testing.T) {
	f := storetest.Flows([]trace.Membership{{Flow: "trace", Opens: trace.OpensByTrace}}, sketch.MustParse(`
shop  order  0..50ms  order.id=o-1
  pay  charge  10..40ms  error  amount=5
    pay  query  client  20..30ms`))[0]
	tests := []struct{ selector, want string }{
		{`service == "pay" and status == "error"`, "charge"},
		{`order.id != nil`, "order"},
		{`isRoot`, "order"},
		{`parent.name == "charge"`, "query"},
		{`descendants.count >= 1 and duration > 35ms`, "order"},
		{`attrs.amount > "x"`, `charge: cannot compare attrs.amount (the int 5) with the string "x"`},
	}
	for _, tt := range tests {
		s, problems := assertions.CompileSelector(diag.NewSource("--where", tt.selector))
		if s == nil {
			t.Errorf("%s", diag.Style{}.RenderAll(problems))
			continue
		}
		var got []string
		for i := range f.Len() {
			n := f.Member(i)
			switch ok, err := s.Matches(f, n); {
			case err != nil:
				got = append(got, f.Span(n).Name()+": "+err.Error())
			case ok:
				got = append(got, f.Span(n).Name())
			}
		}
		if g := strings.Join(got, ", "); g != tt.want {
			t.Errorf("%s: got %s, want %s", tt.selector, g, tt.want)
		}
	}
}

func TestBadSelector(t *testing.T) {
	s, problems := assertions.CompileSelector(diag.NewSource("--where", `servce == "pay"`))
	const want = `spans have no field "servce"`
	if got := (diag.Style{}).RenderAll(problems); s != nil || !strings.Contains(got, want) || !strings.Contains(got, "--where:1:1") {
		t.Errorf("problems\n%s\nwant %q", got, want)
	}
}
