package diag

import (
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// line is one source line laid out in terminal cells.
type line struct {
	number     int
	start, end int // byte offsets in the source
	cells      []cell
	total      int // width of all cells
}

type cell struct {
	text   string
	offset int // of its first byte in the source
	column int // terminal column, from 0
	width  int
}

// longestLine is how many bytes of a line are laid out on either side of what is pointed at.
const longestLine = 32 << 10

// line lays out a line, of a very long one the part around the offset focus.
func (st Style) line(s *Source, number, focus int) line {
	l := line{number: number}
	l.start, l.end = s.LineBounds(number)
	focus = min(max(focus, l.start), l.end)
	l.start = runeStart(s.text, max(l.start, focus-longestLine), l.end)
	l.end = runeStart(s.text, min(l.end, focus+longestLine), l.end)
	for i, r := range s.text[l.start:l.end] {
		c := st.cell(r, l.total)
		c.offset, c.column = l.start+i, l.total
		l.cells = append(l.cells, c)
		l.total += c.width
	}
	return l
}

// runeStart returns the first offset from at on at which a rune starts, but no later one than end.
func runeStart(text string, at, end int) int {
	for at < end && !utf8.RuneStart(text[at]) {
		at++
	}
	return at
}

func (st Style) cell(r rune, column int) cell {
	switch {
	case r == '\t':
		width := tabWidth - column%tabWidth
		return cell{text: strings.Repeat(" ", width), width: width}
	case unprintable(r) && st.ASCII:
		return cell{text: "?", width: 1}
	case unprintable(r):
		return cell{text: "\ufffd", width: 1}
	case st.ASCII && r > unicode.MaxASCII:
		width := st.runeWidth(r)
		return cell{text: strings.Repeat("?", width), width: width}
	}
	return cell{text: string(r), width: st.runeWidth(r)}
}

// column is the terminal column at which the byte at offset is drawn; past the line it is the column after the last cell.
func (l line) column(offset int) int {
	i := sort.Search(len(l.cells), func(i int) bool { return l.cells[i].offset > offset })
	switch {
	case offset >= l.end:
		return l.total
	case i == 0:
		return 0
	}
	return l.cells[i-1].column
}

// span returns the columns that the bytes from start to end take on this line, at least one;
// ok is false where nothing of them is to be seen. Continuation lines are marked from their first visible rune.
func (l line) span(start, end int) (from, to int, ok bool) {
	if start < l.start {
		start = l.firstVisible()
		if start >= min(end, l.end) {
			return 0, 0, false
		}
	}
	from, to = l.column(start), l.column(end)
	return from, max(to, from+1), true
}

func (l line) firstVisible() int {
	for _, c := range l.cells {
		if strings.TrimSpace(c.text) != "" {
			return c.offset
		}
	}
	return l.end
}

// window is the part of a line that is shown: its text, and the column at which that text starts.
type window struct {
	text string
	skip int // columns left out on the left, less what stands for them
}

// window shows at most columns cells of l, so that the column focus is among them.
func (st Style) window(l line, focus, columns int) window {
	if l.total <= columns {
		return window{text: strings.TrimRight(l.text(0, l.total), " ")}
	}
	dots := "…"
	if st.ASCII {
		dots = "..."
	}
	from := min(max(0, focus-columns/3), l.total-columns)
	to := from + columns
	left, right := "", ""
	if from > 0 {
		left = dots
	}
	if to < l.total {
		right = dots
	}
	from = l.boundary(from)
	return window{text: left + l.text(from, to) + right, skip: from - st.textWidth(left)}
}

// boundary is the first column from which a cell starts at or after column.
func (l line) boundary(column int) int {
	for _, c := range l.cells {
		if c.column >= column {
			return c.column
		}
	}
	return l.total
}

func (l line) text(from, to int) string {
	var b strings.Builder
	for _, c := range l.cells {
		if c.column >= from && c.column+c.width <= to {
			b.WriteString(c.text)
		}
	}
	return b.String()
}
