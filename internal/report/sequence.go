package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/followspan/followspan/trace"
)

// Sequence writes a trace as a sequence diagram of Mermaid
// (https://mermaid.js.org/syntax/sequenceDiagram.html): the calls between services in
// the order of their starts, each with its answer, and messages. What happens within
// one service is left out unless it is an error. Calls that look the same are
// folded, unless s.Verbose.
func Sequence(w io.Writer, f trace.Flow, s TextSettings) error {
	d := &sequence{page: newPage(TextSettings{Verbose: s.Verbose}), flow: f, ids: map[string]string{}, shown: uncut(f)}
	root := newGrove(f, nil)
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

// label makes text safe for Mermaid, to which some signs mean something.
func (d *sequence) label(s string) string {
	return strings.NewReplacer("#", "#35;", ";", "#59;", "<", "#60;", ">", "#62;").Replace(d.clean(s))
}

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
		d.write("Note over %s: %s, %s", own, d.label(spanName(span.Name())), duration(span.Duration()))
	case span.Status() == trace.Error && span.Kind() != trace.Client:
		d.write("Note over %s: %s ERROR %s", own, d.label(spanName(span.Name())), d.label(span.StatusMessage()))
	}
	for _, child := range d.shown.children(b, depth) {
		d.step(child, own, depth+1)
	}
	switch {
	case called && !async && span.Status() == trace.Error:
		d.write("%s--x-%s: %s ERROR %s", own, caller, duration(span.Duration()), d.label(span.StatusMessage()))
	case called && !async:
		d.write("%s-->>-%s: %s", own, caller, duration(span.Duration()))
	case span.Kind() == trace.Client && len(b.children) == 0:
		d.outside(span, own)
	}
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

// outside writes a call of somebody who sent no span.
func (d *sequence) outside(span trace.Span, own string) {
	who := named(span, "", "db.system.name", "db.system", "peer.service", "rpc.service", "server.address")
	if who == "" {
		return
	}
	callee := d.id(who)
	d.write("%s->>+%s: %s", own, callee, d.label(spanName(span.Name())))
	if span.Status() == trace.Error {
		d.write("%s--x-%s: %s ERROR %s", callee, own, duration(span.Duration()), d.label(span.StatusMessage()))
		return
	}
	d.write("%s-->>-%s: %s", callee, own, duration(span.Duration()))
}
