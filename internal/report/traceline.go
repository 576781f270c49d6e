package report

import (
	"fmt"
	"strings"

	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/trace"
)

// TraceLine is one line about a trace of which every span is a member of f: its
// id, duration, spans and errors, and its root. Late is how many of the spans came
// after the trace was told of first.
func TraceLine(f trace.Flow, late int, s TextSettings) string {
	t := newTraceTally(f)
	line := fmt.Sprintf("%s  %8s  %8s  %9s  %s", shortTrace(f.TraceID), duration(t.end.Sub(t.start)), count(f.Len(), "span"), t.errorWords(), t.name())
	if n := len(t.services); n > 1 {
		line += ", " + count(n, "service")
	}
	if late > 0 {
		line += fmt.Sprintf(" (%s came late)", count(late, "span"))
	}
	line = diag.Style{ASCII: s.ASCII}.Clean(line)
	return strings.ReplaceAll(line, "\n", `\n`)
}

// shortTrace is enough of an id to find the trace by.
func shortTrace(id trace.TraceID) string {
	digits := id.String()
	if half := len(digits) / 2; strings.Trim(digits[:half], "0") == "" {
		digits = digits[half:] // an id of 64 bits
	}
	return digits[:8]
}

// traceTally is what a line says of a trace.
type traceTally struct {
	root       trace.Span // the first without a parent, else the first whose parent is missing
	node       trace.Node // of the root; None if there is none
	whole      bool       // whether the root has no parent
	start, end trace.Time
	errors     int
	services   map[string]bool
}

func newTraceTally(f trace.Flow) *traceTally {
	t := &traceTally{services: map[string]bool{}, node: trace.None}
	for i := range f.Len() {
		n := f.Member(i)
		span := f.Span(n)
		if i == 0 || span.Start() < t.start {
			t.start = span.Start()
		}
		t.end = max(t.end, span.End())
		if span.Status() == trace.Error {
			t.errors++
		}
		t.services[span.Service()] = true
		if _, known := f.Parent(n); !known && (f.TraceID.IsZero() || span.TraceID() == f.TraceID) {
			t.head(n, span)
		}
	}
	return t
}

// head takes note of a span whose parent was not received.
func (t *traceTally) head(n trace.Node, span trace.Span) {
	whole := span.ParentID().IsZero()
	if t.root.IsZero() || whole && !t.whole || whole == t.whole && span.Start() < t.root.Start() {
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
	if t.root.IsZero() { // every span is below another: a circle
		return "(no root)"
	}
	name := serviceName(t.root.Service()) + " " + spanName(t.root.Name())
	if !t.whole {
		name += " (its parent did not arrive)"
	}
	return name
}
