package diag

import (
	"slices"
	"strings"
)

// Snippet draws the source lines of the marks with carets under the first mark, dashes under the others, and their labels:
//
//	14 |       - all(payment, .duration < 200ms)
//	   |         ^^^ 1 of 3 spans does not satisfy this
//
// All marks must be of one source. Marks that are nowhere, or mean a whole source, draw nothing.
func (st Style) Snippet(primary Mark, also ...Mark) string {
	marks := append([]Mark{primary}, also...)
	c := canvas{Style: st, gutter: gutterOf(marks), accent: red, primary: primary}
	c.snippet(marks)
	return c.b.String()
}

// shownLines is how many lines of one mark are drawn before those in its middle are left out.
const shownLines = 4

// isPlace reports whether r covers something that can be drawn.
func (r Range) isPlace() bool { return !r.IsZero() && !r.IsWhole() }

func (c *canvas) snippet(marks []Mark) {
	marks = slices.DeleteFunc(slices.Clone(marks), func(m Mark) bool { return !m.Range.isPlace() })
	previous := 0
	for _, number := range markedLines(marks) {
		if previous > 0 && number > previous+1 {
			c.printf("%s\n", c.paint(blue, "..."))
		}
		previous = number
		c.markedLine(number, marks)
	}
}

// markedLines returns the numbers of the lines that marks cover, in order.
func markedLines(marks []Mark) []int {
	var numbers []int
	for _, m := range marks {
		first, last := m.Range.lines()
		for n := first; n <= last; n++ {
			if last-first >= shownLines && n == first+shownLines/2 {
				n = last
			}
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return slices.Compact(numbers)
}

// lines returns the first and the last line that r covers. A line break at its end does not count as another line.
func (r Range) lines() (first, last int) {
	first = r.Position().Line
	end := r.Source.Position(r.End)
	if end.Column == 1 && end.Line > first {
		end.Line--
	}
	return first, end.Line
}

func (c *canvas) markedLine(number int, marks []Mark) {
	here := slices.DeleteFunc(slices.Clone(marks), func(m Mark) bool {
		first, last := m.Range.lines()
		return number < first || number > last
	})
	l := c.line(here[0].Range.Source, number, here[0].Range.Start)
	focus, _, _ := l.span(here[0].Range.Start, here[0].Range.End)
	for i, r := range c.rows(l, focus, c.columns()) {
		c.sourceRow(i, r)
		for _, m := range here {
			c.carets(r, m)
		}
	}
}

// sourceRow draws the row of a source line, with its number if it is the first.
func (c *canvas) sourceRow(i int, r row) {
	if i > 0 {
		c.row(r.shown)
		return
	}
	c.sourceLine(r.number, r.shown)
}

func (c *canvas) carets(r row, m Mark) {
	first, last := m.Range.lines()
	if first == last && m.Range.End > m.Range.Start && !r.holds(m.Range.Start, m.Range.End) {
		return
	}
	from, to, ok := r.span(m.Range.Start, min(m.Range.End, r.end))
	if !ok {
		return
	}
	from = max(from-r.skip, 0)
	to = max(min(to-r.skip, c.textWidth(r.shown)), from+1)
	sign, color := "^", c.accent
	if m != c.primary {
		sign, color = "-", blue
	}
	label := ""
	if last == r.number && (m.Range.End <= r.end || r.last) {
		label = c.Clean(m.Label)
	}
	text, rest, more := strings.Cut(label, "\n")
	indent := strings.Repeat(" ", from)
	c.row(indent + c.paint(color, strings.TrimRight(strings.Repeat(sign, to-from)+" "+text, " ")))
	for more {
		text, rest, more = strings.Cut(rest, "\n")
		c.row(indent + strings.Repeat(" ", to-from+1) + c.paint(color, text))
	}
}
