package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/followspan/followspan/trace"
)

// notes are what is worth a remark about a span.
func (w *fall) notes(b *branch, span trace.Span) (notes []string) {
	if len(w.marks[b.node]) > 0 {
		notes = append(notes, w.glyphs.pointer+"match")
	}
	if b.rule != trace.ByParent {
		if late := w.delay(b.node); late > 0 {
			notes = append(notes, duration(late)+" later")
		}
	}
	if early := w.early(b.node, span); early >= time.Millisecond { // less is how exact clocks are
		notes = append(notes, duration(early)+" before its parent")
	}
	if n := w.flow.Copies(b.node); n > 1 {
		notes = append(notes, "received "+times(n))
	}
	if n := w.dangling(b.node, span); n > 0 {
		notes = append(notes, count(n, "linked span")+" missing")
	}
	if gap := w.gap(b.node); !w.axis.crosses(gap) && gap.end.Sub(gap.start) >= max(w.axis.to.Sub(w.axis.from)/5, time.Millisecond) {
		notes = append(notes, fmt.Sprintf("gap %s at %s", duration(gap.end.Sub(gap.start)), w.at(gap.start)))
	}
	return notes
}

// delay is how long after the end of what it follows from a span started; 0 if it
// follows from nothing, or nobody knows.
func (w *fall) delay(n trace.Node) time.Duration {
	for cause := range w.flow.Causes(n) {
		if start, end := w.flow.Span(n).Start(), w.flow.Span(cause).End(); w.knows(start) && w.knows(end) {
			return start.Sub(end)
		}
		break
	}
	return 0
}

// early is how long before its parent a span started, by their clocks.
func (w *fall) early(n trace.Node, span trace.Span) time.Duration {
	p, ok := w.flow.Parent(n)
	if !ok || !w.knows(span.Start()) || !w.knows(w.flow.Span(p).Start()) {
		return 0
	}
	return w.flow.Span(p).Start().Sub(span.Start())
}

// dangling is how many links of a span lead to spans that were not received.
func (w *fall) dangling(n trace.Node, span trace.Span) (missing int) {
	for l := range span.Links() {
		found := l.SpanID() == span.ID() && l.TraceID() == span.TraceID()
		for cause := range w.flow.Causes(n) {
			c := w.flow.Span(cause)
			found = found || c.ID() == l.SpanID() && c.TraceID() == l.TraceID()
		}
		if p, ok := w.flow.Parent(n); ok {
			found = found || w.flow.Span(p).ID() == l.SpanID()
		}
		missing += boolInt(!found)
	}
	return missing
}

// gap is the longest time in which none of a span's children ran; empty if it has
// none.
func (w *fall) gap(n trace.Node) (longest interval) {
	whole, ok := w.when(intervalOf(w.flow.Span(n)))
	if !ok {
		return longest
	}
	at, children := whole.start, false
	free := func(until trace.Time) {
		if until = min(until, whole.end); until > at && until.Sub(at) > longest.end.Sub(longest.start) {
			longest = interval{at, until}
		}
	}
	for _, c := range byStart(w.flow, w.flow.Children(n)) {
		if child, ok := w.when(intervalOf(w.flow.Span(c))); ok {
			free(child.start)
			at, children = max(at, child.end), true
		}
	}
	if !children {
		return interval{}
	}
	free(whole.end)
	return longest
}

// missing says what the trace lacks; where, the rows say.
func (w *fall) missing() {
	parents, linked, others, loops := map[trace.SpanID]bool{}, map[trace.SpanID]bool{}, map[trace.OpenKind]int{}, 0
	for _, e := range w.flow.OpenEdges() {
		switch {
		case e.Kind == trace.WaitsForParent && w.flow.LoopsBack(e.Node):
			loops++
		case e.Kind == trace.WaitsForParent:
			parents[e.Missing] = true
		case e.Kind == trace.WaitsForLinked:
			linked[e.Missing] = true
		default:
			others[e.Kind]++
		}
	}
	var words []string
	add := func(n int, one, many string) {
		if n == 1 {
			words = append(words, "1 "+one)
		} else if n > 1 {
			words = append(words, number(n)+" "+many)
		}
	}
	add(len(parents), "parent that never arrived", "parents that never arrived")
	add(loops, "parent that is part of a loop", "parents that are part of loops")
	add(others[trace.WaitsForServer], "call that nobody answered", "calls that nobody answered")
	add(others[trace.WaitsForConsumer], "message that nobody consumed", "messages that nobody consumed")
	add(len(linked), "linked span that never arrived", "linked spans that never arrived")
	if len(words) > 0 {
		w.paragraph(0, painted(yellow, "missing: "), strings.Join(words, ", "))
	}
	w.losses(0, w.scene)
}
