package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/followspan/followspan/trace"
)

// Sequence writes a trace as a sequence diagram of Mermaid
// (https://mermaid.js.org/syntax/sequenceDiagram.html): the calls between services in
// the order of their starts, each with its answer, and messages. What happens within
// one service is left out unless it is an error. Calls that look the same are
// folded, unless s.Verbose.
func Sequence(w io.Writer, f trace.Flow, s TextSettings) error {
	d := &sequence{page: newPage(TextSettings{Verbose: s.Verbose}), clock: newClock(f), flow: f, ids: map[string]string{}, shown: uncut(f)}
	root := newGrove(f, keepErrors(f, nil))
	if !s.Verbose {
		d.shown = fit(f, root, treeLines, deepSequence)
	}
	for _, b := range d.shown.children(root, 0) {
		d.step(b, "", 1)
	}
	var head strings.Builder
	head.WriteString("sequenceDiagram\n")
	for i, name := range d.names {
		fmt.Fprintf(&head, "    participant p%d as %s\n", i+1, d.label(name))
	}
	_, err := io.WriteString(w, head.String()+d.body.String())
	return err
}

// deepSequence is how deep a diagram may go; beyond it what is left out is counted.
const deepSequence = 40

type sequence struct {
	*page
	clock
	flow  trace.Flow
	shown cutting
	ids   map[string]string // of participants
	names []string
	body  strings.Builder
}

// id is how the diagram calls a service.
func (d *sequence) id(service string) string {
	service = serviceName(service)
	if d.ids[service] == "" {
		d.names = append(d.names, service)
		d.ids[service] = fmt.Sprint("p", len(d.names))
	}
	return d.ids[service]
}

// shownLabel is how many cells of a name or a message a diagram shows.
const shownLabel = 120

// label makes text safe for Mermaid, to which some signs and words mean something
// wherever they stand: entities, also in the signs by which Mermaid holds them,
// directives, formulas, styles and the wrapping of lines.
func (d *sequence) label(s string) string { return unmeaning.Replace(d.cut(d.clean(s), shownLabel)) }

var unmeaning = strings.NewReplacer("#", "#35;", ";", "#59;", "<", "#60;", ">", "#62;", "&", "#38;", "%", "#37;", "$", "#36;",
	"ﬂ", "#64258;", "¶", "#182;", "style", "#115;tyle", "classDef", "#99;lassDef", "wrap:", "wrap#58;")

func (d *sequence) write(format string, args ...any) {
	fmt.Fprintf(&d.body, "    "+format+"\n", args...)
}

// step writes what b is to its caller, "" if nobody called, and what it causes.
func (d *sequence) step(b *branch, caller string, depth int) {
	if b.node == trace.None {
		d.missing(b, caller, depth)
		return
	}
	span := d.flow.Span(b.node)
	own := d.id(span.Service())
	async := b.rule != trace.ByParent || span.Kind() == trace.Consumer
	called := caller != "" && (caller != own || span.Kind() == trace.Server || async)
	switch {
	case called && async:
		d.write("%s-)%s: %s", caller, own, d.label(spanName(span.Name())))
	case called:
		d.write("%s->>+%s: %s", caller, own, d.label(spanName(span.Name())))
	case caller == "":
		d.write("Note over %s: %s, %s%s", own, d.label(spanName(span.Name())), d.took(intervalOf(span)), d.failure(span))
	case span.Status() == trace.Error && span.Kind() != trace.Client:
		d.failed(span, own)
	}
	for _, child := range d.shown.children(b, depth) {
		d.step(child, own, depth+1)
	}
	switch {
	case called && !async:
		d.answer(span, own, caller)
	case span.Kind() == trace.Client && len(b.children) == 0 && d.outside(span, own):
	case called && span.Status() == trace.Error, caller != "" && span.Kind() == trace.Client && d.alone(b):
		d.failed(span, own)
	}
}

// answer writes how a call ended.
func (d *sequence) answer(span trace.Span, callee, caller string) {
	arrow := "-->>-"
	if span.Status() == trace.Error {
		arrow = "--x-"
	}
	d.write("%s%s%s: %s%s", callee, arrow, caller, d.took(intervalOf(span)), d.failure(span))
}

// failed writes an error that no answer tells of.
func (d *sequence) failed(span trace.Span, own string) {
	d.write("Note over %s: %s%s", own, d.label(spanName(span.Name())), d.failure(span))
}

// failure says what is wrong with a span, "" if nothing is.
func (d *sequence) failure(span trace.Span) string {
	if span.Status() != trace.Error {
		return ""
	}
	return strings.TrimRight(" ERROR "+d.label(span.StatusMessage()), " ")
}

// alone reports whether the error of a span is none of those that it called.
func (d *sequence) alone(b *branch) bool {
	return d.flow.Span(b.node).Status() == trace.Error && !slices.ContainsFunc(b.children, func(c *branch) bool {
		return c.node != trace.None && d.flow.Span(c.node).Status() == trace.Error
	})
}

// missing writes what the diagram leaves out or the trace lacks.
func (d *sequence) missing(b *branch, caller string, depth int) {
	over := caller
	if over == "" && len(b.children) > 0 && b.first() != trace.None {
		over = d.id(d.flow.Span(b.first()).Service())
	}
	if over != "" {
		d.write("Note over %s: %s", over, d.label(b.text))
	}
	for _, child := range d.shown.children(b, depth) {
		d.step(child, "", depth+1)
	}
}

// outside writes a call of somebody who sent no span, if the span says who that is.
func (d *sequence) outside(span trace.Span, own string) bool {
	who := named(span, "", "db.system.name", "db.system", "peer.service", "rpc.service", "server.address")
	if who == "" {
		return false
	}
	callee := d.id(who)
	d.write("%s->>+%s: %s", own, callee, d.label(spanName(span.Name())))
	d.answer(span, callee, own)
	return true
}
