package run

import (
	"fmt"
	"strings"

	"github.com/followspan/followspan/trace"
)

// flowFile has assertions that may or may not hold, about each of the requests.
func (w *world) flowFile() string {
	var b strings.Builder
	b.WriteString("version: 1\ndefaults: {deadline: 20s}\nspans:\n")
	for _, s := range w.services {
		fmt.Fprintf(&b, "  %[1]ss: service == %[1]q and (kind == \"server\" or kind == \"consumer\")\n", s.name)
	}
	b.WriteString("flows:\n")
	for w.request = range 1 + w.beside {
		if w.request == 0 {
			b.WriteString("  f:\n    trigger: {grpc: {target: x, method: a.B/C}}\n")
		} else {
			fmt.Fprintf(&b, "  f%d:\n    origin: attrs.request == %q\n", w.request, w.origin())
		}
		if w.keyed {
			b.WriteString("    stitch: {keys: [order.id]}\n")
		}
		w.expect(&b)
	}
	return b.String()
}

// expect is what is asserted about a request.
func (w *world) expect(b *strings.Builder) {
	b.WriteString("    expect:\n")
	lines := 6
	if w.prompt {
		lines = 1 // What fails would be waited for, and with it all else is judged late.
	}
	for range lines {
		x, y := w.services[w.r.IntN(len(w.services))].name, w.services[w.r.IntN(len(w.services))].name
		n := w.handled(x) + w.r.IntN(3) - 1
		line := []string{
			fmt.Sprintf("%ss.count == %d", x, n), fmt.Sprintf("%ss.count <= %d", x, n), fmt.Sprintf("%ss.count >= %d", x, n),
			x + "s.empty", x + "s.exists", fmt.Sprintf("none(%ss, .status == \"error\")", x),
			fmt.Sprintf("all(%ss, .duration < %dms)", x, 5+w.r.IntN(40)), fmt.Sprintf("%ss.calls(%ss)", x, y), fmt.Sprintf("not %ss.causes(%ss)", x, y),
			fmt.Sprintf("%ss.before(%ss)", x, y), fmt.Sprintf("exactlyOnce(%ss, .order.id)", x), fmt.Sprintf("count(spans, .service == %q) == %d", x, w.all(x)-w.r.IntN(2)),
			fmt.Sprintf("%ss.exists and %ss.empty", x, y),
		}[w.r.IntN(13)]
		if w.chance(0.2) {
			fmt.Fprintf(b, "      - {that: '%s', when: '%ss.count > %d', name: '%s, sometimes %d'}\n", line, y, w.r.IntN(2), line, b.Len())
			continue
		}
		fmt.Fprintf(b, "      - '%s'\n", line)
	}
	if w.prompt {
		return
	}
	x, y := w.services[w.r.IntN(len(w.services))].name, w.services[w.r.IntN(len(w.services))].name
	fmt.Fprintf(b, "    never:\n      - 'service == %q and status == \"error\"'\n", x)
	if x != y {
		fmt.Fprintf(b, "    calls: |\n      %s %s %s%s\n", x, []string{"->", "=>", "~>"}[w.r.IntN(3)], y, []string{"", ", exactly once", ", at most 1"}[w.r.IntN(3)])
	}
}

// handled is how many requests and messages a service really handled for the request.
func (w *world) handled(name string) (n int) {
	for _, e := range w.of(name) {
		if e.Kind == trace.Server || e.Kind == trace.Consumer {
			n++
		}
	}
	return n
}

func (w *world) all(name string) int { return len(w.of(name)) }

// of are the spans of a service that belong to the request, as far as one request
// caused them alone.
func (w *world) of(name string) (all []*event) {
	for _, e := range w.spans {
		if e.by.name == name && e.request == w.request {
			all = append(all, e)
		}
	}
	return all
}
