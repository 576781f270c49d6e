package diag

import "strings"

// mostRows is how many rows a source line may take. Of a longer one only the part
// around what is pointed at is shown.
const mostRows = 6

// row is what is shown of a source line on one row of the terminal.
type row struct {
	line
	shown string
	skip  int // see window
	last  bool
}

// rows breaks a line that is too long for the terminal at its spaces. Further rows
// are indented more than the first, so that nobody takes them for lines.
func (st Style) rows(l line, focus, columns int) []row {
	if l.total <= columns {
		return st.cutRow(l, focus, columns)
	}
	further := min(l.column(l.firstVisible())+4, columns/3)
	var rows []row
	for rest := l.cells; len(rest) > 0; {
		indent := 0
		if len(rows) > 0 {
			indent = further
		}
		n := breakAt(rest, columns-indent)
		if n == 0 || len(rows) == mostRows {
			return st.cutRow(l, focus, columns)
		}
		rows = append(rows, rowOf(l, rest[:n], indent))
		rest = rest[n:]
	}
	rows[len(rows)-1].end, rows[len(rows)-1].last = l.end, true
	return rows
}

// cutRow is the part of a line that fits one row.
func (st Style) cutRow(l line, focus, columns int) []row {
	w := st.window(l, focus, columns)
	return []row{{l, w.text, w.skip, true}}
}

// breakAt is how many cells fit, up to the last space behind the first word; 0 if
// a word is too long.
func breakAt(cells []cell, columns int) int {
	width, space, word := 0, 0, false
	for i, c := range cells {
		if width += c.width; width > columns && i > 0 {
			return space
		}
		blank := strings.TrimSpace(c.text) == ""
		if blank && word {
			space = i + 1
		}
		word = word || !blank
	}
	return len(cells)
}

// rowOf lays the cells of a part of a line out anew.
func rowOf(l line, cells []cell, indent int) row {
	r := row{line: line{number: l.number, start: cells[0].offset, total: indent}}
	text := strings.Repeat(" ", indent)
	for _, c := range cells {
		c.column = r.total
		r.cells = append(r.cells, c)
		r.total += c.width
		r.end = c.offset + 1
		text += c.text
	}
	r.shown = strings.TrimRight(text, " ")
	return r
}

// holds reports whether some of the bytes from start to end stand on this row.
func (r row) holds(start, end int) bool {
	return end > r.start && (start < r.end || r.last)
}

// Column is the terminal column, from 0, at which the byte at offset is drawn. It
// is false where its line is so long that only a part of it is.
func (st Style) Column(s *Source, offset int) (int, bool) {
	l := st.line(s, s.Position(offset).Line, offset)
	rows := st.rows(l, 0, st.columns())
	if len(rows) == 1 && l.total > st.columns() {
		return 0, false
	}
	for _, r := range rows {
		if offset < r.end || r.last {
			return r.column(offset), true
		}
	}
	return 0, false
}
