package diag

import (
	"fmt"
	"slices"
	"strings"
)

// Render draws the diagnostic over several lines, each ended by a line break.
func (st Style) Render(d Diagnostic) string {
	marks := append([]Mark{{d.Range, d.Label}}, d.Also...)
	c := canvas{Style: st, gutter: gutterOf(marks), accent: d.Severity.paint(), primary: marks[0]}
	c.printf("%s%s\n", st.paint(c.accent, d.Severity.String()), st.paint(bold, ": "+st.oneLine(d.What)))
	c.places(marks)
	if d.Label != "" && !d.Range.isPlace() {
		c.footer("", d.Label)
	}
	for _, note := range d.Notes {
		c.footer("note: ", note)
	}
	for i, try := range d.Try {
		if i == 0 {
			c.footer("try: ", try)
		} else {
			c.footer("or: ", try)
		}
	}
	return c.b.String()
}

// RenderAll draws the diagnostics in the order they have, with an empty line between them.
func (st Style) RenderAll(l List) string {
	parts := make([]string, len(l))
	for i, d := range l {
		parts[i] = st.Render(d)
	}
	return strings.Join(parts, "\n")
}

// canvas collects the lines of one picture, which share the width of the line numbers.
type canvas struct {
	Style
	b      strings.Builder
	gutter int
	accent paint
	// primary is the mark with carets; the others have dashes.
	primary Mark
}

func (c *canvas) printf(format string, args ...any) { fmt.Fprintf(&c.b, format, args...) }

// gutterOf is the width of the highest line number that the marks show.
func gutterOf(marks []Mark) int {
	highest := 1
	for _, m := range marks {
		if m.Range.isPlace() {
			highest = max(highest, m.Range.Source.Position(m.Range.End).Line)
		}
	}
	return len(fmt.Sprint(highest))
}

// places draws the source of the first mark, then the other sources that the marks point into.
func (c *canvas) places(marks []Mark) {
	arrow := "-->"
	for len(marks) > 0 {
		here, elsewhere := bySource(marks)
		if r := here[0].Range; !r.IsZero() {
			c.printf("%*s%s %s\n", c.gutter, "", c.paint(blue, arrow), c.oneLine(r.String()))
			if slices.ContainsFunc(here, func(m Mark) bool { return m.Range.isPlace() }) {
				c.row("")
				c.snippet(here)
			}
		}
		marks, arrow = elsewhere, ":::"
	}
}

func bySource(marks []Mark) (here, elsewhere []Mark) {
	for _, m := range marks {
		if m.Range.Source == marks[0].Range.Source {
			here = append(here, m)
		} else {
			elsewhere = append(elsewhere, m)
		}
	}
	return here, elsewhere
}

// row draws one line of text that is not from the source.
func (c *canvas) row(text string) {
	bar := fmt.Sprintf("%*s |", c.gutter, "")
	c.printf("%s%s\n", c.paint(blue, bar), strings.TrimRight(" "+text, " "))
}

// sourceLine draws one numbered line of the source.
func (c *canvas) sourceLine(number int, text string) {
	bar := fmt.Sprintf("%*d |", c.gutter, number)
	c.printf("%s%s\n", c.paint(blue, bar), strings.TrimRight(" "+text, " "))
}

// footer draws one "= try: …" line; further lines of text are aligned with the first.
func (c *canvas) footer(kind, text string) {
	indent := strings.Repeat(" ", c.gutter+3+len(kind))
	text = strings.ReplaceAll(c.Clean(text), "\n", "\n"+indent)
	c.printf("%*s %s%s\n", c.gutter, "", c.paint(blue, "="), " "+c.paint(bold, kind)+text)
}
