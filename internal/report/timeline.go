package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/followspan/followspan/assertions"
)

// timeline draws the spans on one axis, in the order of their starts, with when
// they start and end relative to the flow's origin.
func (p *page) timeline(indent int, s scene, notes []assertions.SpanNote) {
	if len(notes) == 0 {
		return
	}
	left := max(len(notes)-shownTimeline, 0)
	if p.settings.Verbose {
		left = 0
	}
	notes = slices.Clone(notes[:len(notes)-left])
	slices.SortStableFunc(notes, func(a, b assertions.SpanNote) int { return cmp.Compare(a.Span.Start, b.Span.Start) })
	t := p.layout(indent, s, notes)
	p.line(indent, painted(dim, strings.Repeat(" ", t.label+2)+t.ends()))
	p.bars(indent, t, notes)
	if left > 0 {
		p.line(indent, text(more(left)))
	}
	if t.hosts {
		p.paragraph(indent, painted(yellow, "clocks: "), "these times were read on different hosts, their clocks may differ.")
	}
}

// chart is the layout of a timeline.
type chart struct {
	scene
	axis
	label, times int
	hosts        bool // the spans come from several hosts
}

func (p *page) layout(indent int, s scene, notes []assertions.SpanNote) chart {
	t := chart{scene: s, hosts: severalHosts(notes)}
	for _, n := range notes {
		t.label = max(t.label, p.cells(p.shortLabel(n.Span, p.width/3)))
		t.times = max(t.times, p.cells(t.span(n.Span)))
	}
	t.label = min(t.label, p.width/3)
	t.axis = newAxis(s.clock, notes, min(max(p.width-indent-t.label-t.times-6, 10), 48))
	return t
}

func barLabel(r assertions.SpanRef) string { return serviceName(r.Service) + " " + spanName(r.Name) }

// shortLabel is barLabel without the package of an RPC, if that is what is too
// much: the method is what tells two bars apart.
func (p *page) shortLabel(r assertions.SpanRef, room int) string {
	if p.cells(barLabel(r)) > room {
		r.Name = shortRPC(r.Name)
	}
	return barLabel(r)
}

// shortRPC is the name of a span without the package, if it is that of an RPC.
func shortRPC(name string) string {
	service, method, ok := strings.Cut(name, "/")
	if !ok || method == "" || strings.Contains(name, " ") {
		return name
	}
	return service[strings.LastIndex(service, ".")+1:] + "/" + method
}

func (t chart) span(r assertions.SpanRef) string { return t.at(r.Start) + ".." + t.at(r.End) }

// ends is the line above the bars: where the axis begins and ends.
func (t chart) ends() string {
	from, to := t.at(t.from), t.at(t.to)
	return from + strings.Repeat(" ", max(t.cells+2-len(from)-len(to), 2)) + to
}

func (p *page) bars(indent int, t chart, notes []assertions.SpanNote) {
	lines, said := make([]string, len(notes)), make([]string, len(notes))
	for i, n := range notes {
		lines[i], said[i] = p.bar(t, n), t.note(n)
		if t.hosts {
			said[i] = strings.Trim("on "+hostName(n.Span)+" · "+said[i], " ·")
		}
	}
	p.noted(indent, lines, said)
}

func (p *page) bar(t chart, n assertions.SpanNote) string {
	at, timed := t.when(interval{n.Span.Start, n.Span.End})
	first, end := t.bar(at)
	fill := strings.Repeat(p.glyphs.filled, end-first)
	switch {
	case !timed:
		fill = strings.Repeat(" ", end-first)
	case at.end <= at.start:
		fill = p.glyphs.instant
		end = first + 1
	}
	bar := p.glyphs.edge + strings.Repeat(" ", first) + fill + strings.Repeat(" ", t.cells-end) + p.glyphs.edge
	return p.pad(p.shortLabel(n.Span, t.label), t.label) + "  " + bar + "  " + p.pad(t.span(n.Span), t.times)
}

func hostName(r assertions.SpanRef) string {
	if r.Host == "" {
		return "an unknown host"
	}
	_, name, _ := strings.Cut(r.Host, "=") // it is "host.id=…"
	return "host " + cmp.Or(name, r.Host)
}

// severalHosts reports whether the times may come from different clocks: from
// different hosts, or from processes of which the host is not known.
func severalHosts(notes []assertions.SpanNote) bool {
	first := notes[0].Span
	return slices.ContainsFunc(notes, func(n assertions.SpanNote) bool {
		return n.Span.Host != first.Host || n.Span.Host == "" && n.Span.Process != first.Process
	})
}
