package report

import (
	"strings"

	"github.com/followspan/followspan/trace"
)

// Widths of the columns of a waterfall.
const (
	fallDuration = 9
	fallBetween  = 3 // beside the bars, and before what stands behind them
	leastBar     = 10
	leastNote    = 8 // cells; less says nothing
	mostBar      = 60
)

// layout divides the width between labels, bars and what stands behind them. The
// bars get a fifth at least, and all that the others leave.
func (w *fall) layout() {
	label, behind, withIDs := w.widestLabel(), 0, 0
	for _, r := range w.list {
		if r.branch.node != trace.None {
			behind = max(behind, w.cells(r.behind()))
			withIDs = max(withIDs, w.cells(r.withID().behind()))
		}
	}
	room := w.width - fallDuration - fallBetween - max(w.width/4, leastBar)
	if label+withIDs <= room {
		behind = withIDs
		for i, r := range w.list {
			w.list[i] = r.withID()
		}
	}
	if label+behind > room {
		for i, r := range w.list {
			w.list[i].what = r.short // the method is what tells two calls apart
		}
		label = w.widestLabel()
	}
	behind = min(behind, max(room-label, room/3))
	w.label = min(label, room-behind)
	w.axis.cells = min(w.width-fallDuration-fallBetween-w.label-behind, mostBar)
}

func (w *fall) widestLabel() (cells int) {
	for _, r := range w.list {
		if r.branch.node != trace.None {
			cells = max(cells, w.cells(r.to+r.hop+w.serviceOf(r)+"  "+r.what))
		}
	}
	return cells
}

func (w *fall) serviceOf(r fallRow) string {
	return serviceName(w.flow.Span(r.branch.node).Service())
}

// withID is r with the id of its trace, if that is another one, among its notes.
func (r fallRow) withID() fallRow {
	if r.trace != "" {
		r.notes = strings.TrimPrefix(r.notes+" · "+r.trace, " · ")
	}
	return r
}

// behind is what stands behind a bar, if anything with the space before it.
func (r fallRow) behind() string {
	s := ""
	for _, part := range []string{r.failed, r.notes} {
		if part != "" {
			s += "  " + part
		}
	}
	return s
}

func (w *fall) rows() {
	w.layout()
	w.blank()
	if w.axis.to > 0 {
		w.line(0, painted(dim, strings.Repeat(" ", w.label+2)+w.ticks()))
	}
	for _, r := range w.list {
		w.draw(r)
	}
}

func (w *fall) draw(r fallRow) {
	if r.branch.node == trace.None {
		color := dim
		if r.branch.lacks {
			color = yellow
		}
		w.line(0, painted(dim, r.to), painted(color, r.branch.text))
		return
	}
	span := w.flow.Span(r.branch.node)
	color := w.paints[span.Service()]
	pieces := append(w.named(r, color),
		text(" "), painted(dim, w.glyphs.edge), painted(color, w.bar(r.branch.node, span)), painted(dim, w.glyphs.edge),
		text(w.padLeft(w.took(intervalOf(span)), fallDuration)))
	w.line(0, append(pieces, w.remarks(r)...)...)
}

// named is what stands before the bar of a row, as wide as that of every other.
func (w *fall) named(r fallRow, color paint) []piece {
	service := w.serviceOf(r)
	what := "  " + r.what
	room := w.label - w.cells(r.to) - w.cells(r.hop) - w.cells(service)
	if w.cells(what) > room {
		what = w.cut(w.clean(what), max(room, 0))
	}
	pad := strings.Repeat(" ", max(room-w.cells(what), 0))
	return w.within(w.label, painted(dim, r.to), painted(dim, r.hop), painted(color, service), text(what+pad))
}

// remarks are what stands behind the bar of a row. Notes are short; an error may be
// cut for them, but most of the room is its own.
func (w *fall) remarks(r fallRow) (pieces []piece) {
	room := w.width - w.label - w.axis.cells - fallDuration - fallBetween
	notes := ""
	if r.notes != "" {
		notes = "  " + r.notes
	}
	if r.failed != "" {
		its := max(room-w.cells(notes), room*2/3)
		if room-its < leastNote {
			its = room
		}
		failed := "  " + w.cut(w.clean(r.failed), max(its-2, len("ERROR")))
		room -= w.cells(failed)
		pieces = append(pieces, painted(red, failed))
	}
	if room >= leastNote {
		pieces = append(pieces, text(notes))
	}
	return pieces
}

// within cuts pieces so that they fill no more than so many cells.
func (w *fall) within(room int, pieces ...piece) (out []piece) {
	for _, p := range pieces {
		p.text = w.cut(w.clean(p.text), max(room, 0))
		room -= w.cells(p.text)
		out = append(out, p)
	}
	return out
}

// bar draws a span: the cells in which it was waited for are filled.
func (w *fall) bar(n trace.Node, span trace.Span) string {
	cells := make([]string, w.axis.cells)
	for i := range cells {
		cells[i] = " "
	}
	whole, timed := w.when(intervalOf(span))
	if !timed {
		return strings.Join(cells, "")
	}
	w.fill(cells, whole, w.glyphs.thin)
	for _, c := range w.critical[n] {
		if c.To > c.From {
			w.fill(cells, interval{c.From, c.To}, w.glyphs.filled)
		}
	}
	if whole.end == whole.start {
		w.fill(cells, whole, w.glyphs.instant)
	}
	if w.axis.crosses(whole) {
		cells[w.axis.cutCell()] = w.glyphs.cut
	}
	for _, glyph := range cells {
		w.drawn[glyph] = true
	}
	return strings.Join(cells, "")
}

func (w *fall) fill(cells []string, i interval, glyph string) {
	first, end := w.axis.bar(i)
	for i := first; i < end; i++ {
		cells[i] = glyph
	}
}
