package report

import (
	"fmt"
	"strings"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/trace"
)

// How much of one verdict's evidence is shown.
const (
	shownSpans    = 12
	shownTimeline = 20
	shownNear     = 3
)

// evidence writes the parts that there are, in the order of the fields.
func (p *page) evidence(indent int, s scene, e *assertions.Evidence) {
	if len(e.Facts)+len(e.Spans)+len(e.Timeline)+len(e.Near) > 0 {
		p.blank()
	}
	p.facts(indent, e.Facts)
	p.spans(indent, s.since(e.Spans), e)
	p.timeline(indent, s.since(e.Timeline), e.Timeline)
	p.near(indent, s, e.Near)
	for _, n := range e.Notes {
		p.paragraph(indent-2, painted(bold, "= note: "), n)
	}
	p.tries(indent, e.Try)
}

func (p *page) tries(indent int, tries []string) {
	for i, t := range tries {
		label := "= try: "
		if i > 0 {
			label = "= or: "
		}
		p.paragraph(indent-2, painted(bold, label), t)
	}
}

func (p *page) facts(indent int, facts []assertions.Fact) {
	width := 0
	for _, f := range facts {
		width = max(width, p.cells(f.Label))
	}
	width = min(width, p.width/3)
	for _, f := range facts {
		p.paragraph(indent, painted(dim, p.pad(f.Label, width)+"  "), f.Text)
	}
}

func (p *page) spans(indent int, s scene, e *assertions.Evidence) {
	shown := e.Spans
	if len(shown) > shownSpans && !p.settings.Verbose {
		shown = shown[:shownSpans]
	}
	rows := make([][]string, len(shown))
	notes := make([]string, len(shown))
	for i, n := range shown {
		rows[i], notes[i] = s.row(n.Span), s.note(n)
	}
	p.table(indent, rows, notes)
	if left := max(e.Of, len(e.Spans)) - len(shown); left > 0 {
		p.line(indent, text(more(left)))
	}
}

// row is what identifies a span: service, name, when, how long, its id.
func (s scene) row(r assertions.SpanRef) []string {
	return []string{serviceName(r.Service), spanName(r.Name) + role(r.Kind), s.at(r.Start), s.took(interval{r.Start, r.End}), "span " + r.SpanID.String()}
}

// note is what a span is shown for, and how it came into the flow.
func (s scene) note(n assertions.SpanNote) string {
	var parts []string
	if n.Span.Status == trace.Error {
		parts = append(parts, "ERROR")
	}
	for _, part := range []string{n.Note, s.joinedBy(n.Span)} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, " · ")
}

// table writes rows in columns, the third and the fourth from the right, and each
// row's note behind it, or below it if the line is too short.
func (p *page) table(indent int, rows [][]string, notes []string) {
	limits := []int{p.width / 5, p.width / 3, 12, 12, 21}
	widths := make([]int, len(limits))
	for _, row := range rows {
		for c, cell := range row {
			widths[c] = min(max(widths[c], p.cells(cell)), limits[c])
		}
	}
	lines := make([]string, len(rows))
	for i, row := range rows {
		var b strings.Builder
		for c, cell := range row {
			pad := p.pad
			if c == 2 || c == 3 {
				pad = p.padLeft
			}
			if c > 0 {
				b.WriteString("  ")
			}
			b.WriteString(pad(cell, widths[c]))
		}
		lines[i] = b.String()
	}
	p.noted(indent, lines, notes)
}

// noted writes lines with a note behind each, or below each if not all fit.
func (p *page) noted(indent int, lines, notes []string) {
	behind := true
	for i, l := range lines {
		behind = behind && indent+p.cells(l)+2+p.cells(notes[i]) <= p.width
	}
	for i, l := range lines {
		if behind {
			p.line(indent, text(l+"  "+notes[i]))
			continue
		}
		p.line(indent, text(l))
		if notes[i] != "" {
			p.paragraph(indent+4, plainPiece, notes[i])
		}
	}
}

func (p *page) near(indent int, s scene, near []assertions.NearMiss) {
	if len(near) == 0 {
		return
	}
	p.line(indent, painted(bold, "nearly:"))
	for i, n := range near {
		if i == shownNear && !p.settings.Verbose {
			p.line(indent, text(more(len(near)-i)))
			break
		}
		s := s.since([]assertions.SpanNote{{Span: n.Span}})
		p.table(indent, [][]string{s.row(n.Span)}, []string{s.note(assertions.SpanNote{Span: n.Span})})
		p.paragraph(indent+4, plainPiece, miss(n))
		if n.OtherTrace {
			p.paragraph(indent+4, plainPiece, "in another trace, "+n.Span.TraceID.String())
		}
		if n.Explanation != "" {
			p.paragraph(indent+4, plainPiece, n.Explanation)
		}
	}
}

// miss says what keeps a near miss from being the span that was looked for.
func miss(n assertions.NearMiss) string {
	s := fmt.Sprintf("%d of %d conditions hold", n.Holds, n.Of)
	if n.Fails != "" {
		s += ", but not " + n.Fails
	}
	if n.Actual != "" {
		s += ": " + n.Actual
	}
	return s
}
