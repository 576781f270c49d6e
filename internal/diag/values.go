package diag

import (
	"slices"
	"strings"
)

// Value is something to write under a place of a source line.
type Value struct {
	Offset int // byte offset in the source
	Text   string
}

// Values draws every line of the mark's range with each value under its own column, where a bar leads down to it.
// Values that do not fit beside each other go to further rows, the rightmost first:
//
//	14 |       - stripe.count <= 4 and all(stripe.gaps, it >= 100ms)
//	   |                |                         |
//	   |                5                         [30ms, 212ms]
//
// Carets and the label are drawn only if the mark has a label. Values outside the range's lines are left out;
// of several values at one offset all are shown, the first on top.
func (st Style) Values(m Mark, values []Value) string {
	if !m.Range.isPlace() {
		return ""
	}
	c := canvas{Style: st, gutter: gutterOf([]Mark{m}), accent: red, primary: m}
	first, last := m.Range.lines()
	for number := first; number <= last; number++ {
		l := c.line(m.Range.Source, number, m.Range.Start)
		for i, r := range c.rows(l, 0, c.columns()) {
			c.sourceRow(i, r)
			if m.Label != "" {
				c.carets(r, m)
			}
			c.valueRows(r, values)
		}
	}
	return c.b.String()
}

// placed is a value with the column it hangs from.
type placed struct {
	column int
	text   string
}

func (c *canvas) valueRows(r row, values []Value) {
	var here []placed
	for _, v := range values {
		if v.Offset >= r.start && (v.Offset < r.end || r.last && v.Offset == r.end) {
			here = append(here, placed{r.column(v.Offset), c.oneLine(v.Text)})
		}
	}
	if len(here) == 0 {
		return
	}
	slices.SortStableFunc(here, func(a, b placed) int { return b.column - a.column })
	for _, row := range c.hang(here) {
		c.row(row.draw(c.textWidth))
	}
}

// hangingRow is one row under a source line, built from right to left.
type hangingRow struct {
	items []placed // right to left
	room  int      // the next item must end before this column
}

// hang distributes values, which come from right to left, over rows. Each goes to the highest row with room for it
// below its bar; the first row holds only bars.
func (c *canvas) hang(values []placed) []*hangingRow {
	rows := []*hangingRow{{room: 1 << 30}}
	for _, v := range values {
		rows[0].bar(v.column)
		rows = c.place(rows, v)
	}
	return rows
}

func (c *canvas) place(rows []*hangingRow, v placed) []*hangingRow {
	end := v.column + c.textWidth(v.text)
	for _, row := range rows[1:] {
		if end < row.room {
			row.add(v)
			return rows
		}
		row.bar(v.column)
	}
	row := &hangingRow{room: 1 << 30}
	row.add(v)
	return append(rows, row)
}

func (r *hangingRow) add(v placed) {
	r.items = append(r.items, v)
	r.room = v.column
}

func (r *hangingRow) bar(column int) {
	if column < r.room {
		r.add(placed{column, "|"})
	}
}

func (r *hangingRow) draw(width func(string) int) string {
	var b strings.Builder
	at := 0
	for _, item := range slices.Backward(r.items) {
		b.WriteString(strings.Repeat(" ", max(item.column-at, 0)))
		b.WriteString(item.text)
		at = item.column + width(item.text)
	}
	return b.String()
}
