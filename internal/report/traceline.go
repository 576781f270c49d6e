package report

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"github.com/followspan/followspan/trace"
)

// TraceLine is one line about the trace of f: its id, duration, spans and errors,
// its root, and in which other traces it goes on, whose spans do not count. Late is
// how many of the spans came after the trace was told of first. The name of the root
// is cut where it does not fit s.Width, which is unlimited if it is 0.
func TraceLine(f trace.Flow, late int, s TextSettings) string {
	t, p := newTraceTally(f, ownSpans(f)), newPage(s)
	line := fmt.Sprintf("%s  %8s  %8s  %9s  ", s.traceID(f.TraceID), t.length(), count(t.spans, "span"), t.errorWords())
	rest := ""
	if n := len(t.services); n > 1 {
		rest += ", " + count(n, "service")
	}
	rest += t.further(s)
	if t.gone > 0 {
		rest += fmt.Sprintf(", %s made room for others", count(t.gone, "more span"))
	}
	if late > 0 {
		rest += fmt.Sprintf(" (%s came late)", count(late, "span"))
	}
	name := p.clean(t.name())
	if s.Width > 0 && !s.Verbose {
		name = p.cut(name, max(p.width-p.cells(line+rest), leastName))
	}
	return p.clean(line) + name + p.clean(rest)
}

// leastName is how many cells of a name are left of it.
const leastName = 16

// Began is when the first of the spans of f's own trace began; 0 if nobody knows.
func Began(f trace.Flow) trace.Time { return newTraceTally(f, ownSpans(f)).from }

// ownSpans are those of the flow's own trace, all if it has none.
func ownSpans(f trace.Flow) func(trace.Span) bool {
	return func(s trace.Span) bool { return f.TraceID.IsZero() || s.TraceID() == f.TraceID }
}

func allSpans(trace.Span) bool { return true }

// traceTally is what a line says of a trace.
type traceTally struct {
	clock
	period
	root     trace.Span // the first without a parent, else the first whose parent is missing
	node     trace.Node // of the root; None if there is none
	whole    bool       // whether the root has no parent
	loops    bool       // whether it has, and that is below it
	spans    int
	gone     int // spans that made room, of which nothing is known
	errors   int
	services map[string]bool
	others   []trace.TraceID // in which the trace goes on
}

// newTraceTally counts those spans of f of which that is wanted.
func newTraceTally(f trace.Flow, counts func(trace.Span) bool) *traceTally {
	t := &traceTally{clock: newClock(f), services: map[string]bool{}, node: trace.None}
	own, others := ownSpans(f), map[trace.TraceID]bool{}
	for i := range f.Len() {
		n := f.Member(i)
		span := f.Span(n)
		if span.Evicted() {
			t.gone++
			continue
		}
		if !own(span) {
			others[span.TraceID()] = true
		} else if _, known := f.Parent(n); !known {
			t.head(n, span)
		}
		if !counts(span) {
			continue
		}
		t.spans++
		t.take(t.clock, intervalOf(span))
		t.errors += boolInt(span.Status() == trace.Error)
		t.services[span.Service()] = true
	}
	t.loops = t.node != trace.None && f.LoopsBack(t.node)
	t.others = slices.SortedFunc(maps.Keys(others), func(a, b trace.TraceID) int { return bytes.Compare(a[:], b[:]) })
	return t
}

// further says in which other traces the trace goes on.
func (t *traceTally) further(s TextSettings) string {
	switch len(t.others) {
	case 0:
		return ""
	case 1:
		return ", goes on in trace " + s.traceID(t.others[0])
	}
	return ", goes on in " + count(len(t.others), "trace")
}

// head takes note of a span whose parent was not received.
func (t *traceTally) head(n trace.Node, span trace.Span) {
	whole := span.ParentID().IsZero()
	if t.root.IsZero() || whole && !t.whole || whole == t.whole && t.before(span, t.root) {
		t.root, t.node, t.whole = span, n, whole
	}
}

func (t *traceTally) errorWords() string {
	if t.errors == 0 {
		return "ok"
	}
	return count(t.errors, "error")
}

func (t *traceTally) name() string {
	if t.root.IsZero() { // no span is held
		return "(no root)"
	}
	name := serviceName(t.root.Service()) + " " + spanName(t.root.Name())
	switch {
	case t.whole:
		return name
	case t.loops:
		return name + " (its parents are a loop)"
	}
	return name + " (its parent did not arrive)"
}
