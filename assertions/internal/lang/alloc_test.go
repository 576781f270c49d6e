// The race detector empties the pools of regular expressions at random.

//go:build !race

package lang

import (
	"testing"

	"github.com/followspan/followspan/trace"
)

func TestSelectorsDoNotAllocate(t *testing.T) {
	f := worldFrame(t)
	for _, source := range []string{
		`service == "shop" and kind == "server"`, `http.response.status_code >= 500`, `attrs.amount * 2 > 10 and order.id != nil`,
		`resource.service.name startsWith "s" and duration > 5ms`, `name matches "^P" or status == "error"`,
	} {
		x := MustCompile(source, &Scope{Span: true})
		got := testing.AllocsPerRun(100, func() {
			for n := range trace.Node(7) {
				x.OfSpan(f, n)
			}
		})
		if got > 0 {
			t.Errorf("%s allocates %v times", source, got)
		}
	}
}
