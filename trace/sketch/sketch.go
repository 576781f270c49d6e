// Package sketch writes spans from a small text, so that a test can be read.
//
//	gateway   POST /order      server      0..180ms
//	  checkout  place          server     10..170ms  order.id=o-1
//	    payment   charge       server     20..60ms   error http.response.status_code=502
//	    checkout  send orders  producer   70..71ms   #pub
//	email     process orders   consumer   80..95ms   link=#pub
//
// A line is one span: service, name, then words in any order. Two or more spaces
// (or a tab) end the service and the name; a name may hold single spaces.
// Indentation makes a child; a line at the margin starts a new trace. The words:
//
//	0..180ms              start and end after Base; the unit may stand once
//	server client …       the kind; default server below another service, else internal; server at the margin
//	ok error              the status; error="card declined" gives the message
//	#pub                  a label that link=, parent= and trace= may name
//	link=#pub             a span link; several are allowed; link=unsampled names a span
//	                      that was not sampled, so that it never comes
//	parent=#pub           the parent, instead of the indentation; parent=missing names one that never comes
//	trace=#pub            the same trace as the labelled span's
//	at=200ms              when it arrives; default: its end
//	event=name@30ms       an event
//	copy                  a second receipt of the line above it; takes at= alone
//	key=value             an attribute: int, float, true/false, "quoted" string, [a, list], else a string
//	resource.key=value    a resource attribute
//
// A line "resource SERVICE key=value …" sets attributes of all spans of a service
// that follow. Unless said otherwise a resource has service.name, the instance id
// SERVICE-1, host.id h1 and telemetry.sdk.language go. "# …" is a comment.
package sketch

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/followspan/followspan/trace"
)

// Base is the moment 0 of every sketch: 2026-01-01T00:00:00Z.
const Base trace.Time = 1767225600_000_000_000

// Sketch is a parsed text.
type Sketch struct {
	// Arrivals are the spans in the order in which they arrive, copies included.
	Arrivals []Arrival
	Labels   map[string]trace.Span
}

// Arrival is a span and when it was received.
type Arrival struct {
	Span trace.Span
	At   trace.Time
}

// Spans returns all spans in the order in which they arrive.
func (s *Sketch) Spans() []trace.Span {
	out := make([]trace.Span, len(s.Arrivals))
	for i, a := range s.Arrivals {
		out[i] = a.Span
	}
	return out
}

// Parse reads a sketch. Errors name the line, counted from 1.
func Parse(text string) (*Sketch, error) {
	p := &parser{labels: map[string]*line{}, resources: map[string][]trace.Attr{}}
	for i, raw := range strings.Split(text, "\n") {
		if err := p.line(raw); err != nil {
			return nil, fmt.Errorf("sketch line %d: %w", i+1, err)
		}
	}
	return p.finish()
}

// MustParse is Parse for texts that a test wrote; it panics on an error.
func MustParse(text string) *Sketch {
	s, err := Parse(text)
	if err != nil {
		panic(err)
	}
	return s
}

// line is one span of the text before its references are resolved.
type line struct {
	indent   int
	data     trace.SpanData
	resource []trace.Attr
	service  string
	kindSet  bool
	label    string
	parent   *line
	links    []string
	parentOf string // label, or "missing"
	traceOf  string
	at       trace.Time
	copies   []trace.Time
	traceNo  int
	number   int
}

type parser struct {
	lines     []*line
	stack     []*line
	labels    map[string]*line
	resources map[string][]trace.Attr
	traces    int
}

func (p *parser) line(raw string) error {
	body := strings.TrimLeft(raw, " \t")
	if body == "" || strings.HasPrefix(body, "# ") || body == "#" {
		return nil
	}
	if rest, ok := strings.CutPrefix(body, "resource "); ok {
		return p.resourceLine(rest)
	}
	if body == "copy" || strings.HasPrefix(body, "copy ") {
		return p.copyLine(strings.TrimPrefix(body, "copy"))
	}
	l := &line{indent: len(raw) - len(body), number: len(p.lines) + 1}
	service, rest := cutColumn(body)
	name, rest := cutColumn(rest)
	if name == "" {
		return fmt.Errorf("want SERVICE  NAME  START..END, got %q (two spaces end the service and the name)", body)
	}
	l.service, l.data.Name = service, name
	if err := p.words(l, rest); err != nil {
		return err
	}
	p.place(l)
	p.lines = append(p.lines, l)
	return nil
}

func (p *parser) resourceLine(rest string) error {
	service, rest, _ := strings.Cut(strings.TrimSpace(rest), " ")
	words, err := splitWords(rest)
	if err != nil {
		return err
	}
	for _, w := range words {
		key, value, ok := strings.Cut(w, "=")
		if !ok {
			return fmt.Errorf("resource %s: want key=value, got %q", service, w)
		}
		p.resources[service] = set(p.resources[service], key, parseValue(value))
	}
	return nil
}

func (p *parser) copyLine(rest string) error {
	if len(p.lines) == 0 {
		return fmt.Errorf("copy: no span stands above it")
	}
	l := p.lines[len(p.lines)-1]
	at := l.data.End
	if v, ok := strings.CutPrefix(strings.TrimSpace(rest), "at="); ok {
		t, err := moment(v, "")
		if err != nil {
			return err
		}
		at = t
	}
	l.copies = append(l.copies, at)
	return nil
}

// cutColumn returns what stands before two spaces or a tab.
func cutColumn(s string) (column, rest string) {
	end := len(s)
	for _, sep := range []string{"  ", "\t"} {
		if i := strings.Index(s, sep); i >= 0 {
			end = min(end, i)
		}
	}
	return s[:end], strings.TrimLeft(s[end:], " \t")
}

func (p *parser) place(l *line) {
	for len(p.stack) > 0 && p.stack[len(p.stack)-1].indent >= l.indent {
		p.stack = p.stack[:len(p.stack)-1]
	}
	if len(p.stack) > 0 {
		l.parent = p.stack[len(p.stack)-1]
		l.traceNo = l.parent.traceNo
	} else {
		p.traces++
		l.traceNo = p.traces
	}
	p.stack = append(p.stack, l)
	if !l.kindSet {
		l.data.Kind = trace.Server
		if l.parent != nil && l.parent.service == l.service {
			l.data.Kind = trace.Internal
		}
	}
}

// finish resolves labels and writes the spans.
func (p *parser) finish() (*Sketch, error) {
	for _, l := range p.lines {
		if err := p.resolve(l); err != nil {
			return nil, err
		}
	}
	for _, l := range p.lines {
		l.data.TraceID, l.data.ID = traceID(l.traceNo), spanID(l.number)
		if l.parent != nil {
			l.data.Parent = spanID(l.parent.number)
		}
		if l.parentOf == "missing" {
			l.data.Parent = spanID(0xdead0000 + l.number)
		}
		for _, label := range l.links {
			if label == unsampled {
				l.data.Flags = 0x101
				l.data.Links = append(l.data.Links, trace.LinkData{TraceID: traceID(0xdead), SpanID: spanID(0xdead), Flags: 0x100})
				continue
			}
			target := p.labels[label]
			l.data.Links = append(l.data.Links, trace.LinkData{TraceID: traceID(target.traceNo), SpanID: spanID(target.number)})
		}
	}
	return p.build(), nil
}

// unsampled is what a link names instead of a label.
const unsampled = "unsampled"

func (p *parser) resolve(l *line) error {
	for _, label := range l.links {
		if p.labels[label] == nil && label != unsampled {
			return fmt.Errorf("sketch: %s %q links to #%s, which no line is labelled with", l.service, l.data.Name, label)
		}
	}
	if l.traceOf != "" {
		of := p.labels[l.traceOf]
		if of == nil {
			return fmt.Errorf("sketch: %s %q: no line is labelled #%s", l.service, l.data.Name, l.traceOf)
		}
		l.traceNo = of.traceNo
	}
	if l.parentOf != "" && l.parentOf != "missing" {
		l.parent = p.labels[l.parentOf]
		if l.parent == nil {
			return fmt.Errorf("sketch: %s %q: no line is labelled #%s", l.service, l.data.Name, l.parentOf)
		}
		l.traceNo = l.parent.traceNo
	}
	return nil
}

func (p *parser) build() *Sketch {
	out := &Sketch{Labels: map[string]trace.Span{}}
	var w trace.Builder
	for _, l := range p.lines {
		for i, at := range append([]trace.Time{l.at}, l.copies...) {
			w.SetResource(trace.ResourceData{Attrs: l.resource})
			w.SetScope(trace.ScopeData{Name: "sketch"})
			w.Add(&l.data)
			span := w.Commit()[0]
			out.Arrivals = append(out.Arrivals, Arrival{span, at})
			if i == 0 && l.label != "" {
				out.Labels[l.label] = span
			}
		}
	}
	slices.SortStableFunc(out.Arrivals, func(a, b Arrival) int { return cmp.Compare(a.At, b.At) })
	return out
}

func traceID(n int) (id trace.TraceID) {
	id[0], id[15], id[14] = byte(n), byte(n), byte(n>>8)
	return id
}

func spanID(n int) (id trace.SpanID) {
	for i := range 8 {
		id[7-i] = byte(n >> (8 * i))
	}
	return id
}
