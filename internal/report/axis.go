package report

import (
	"slices"
	"strings"
	"time"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/trace"
)

// axis maps the time that is shown to cells.
type axis struct {
	period
	cells int
	// cut is left out but for one cell: a time in which nothing began or ended, beside
	// which all the rest would be too small to be seen. Usually it is empty.
	cut period
}

func newAxis(c clock, notes []assertions.SpanNote, cells int) axis {
	a := axis{cells: cells}
	for _, n := range notes {
		a.take(c, interval{n.Span.Start, n.Span.End})
	}
	return a
}

// cutShare is how much of an axis nothing must happen for it to be left out.
const cutShare = 0.9

// leaveOut cuts the axis where nothing happens for most of its length. Times are all
// moments at which something does.
func (a *axis) leaveOut(times []trace.Time) {
	const least = 6 // of three spans
	if len(times) < least {
		return
	}
	slices.Sort(times)
	longest := period{}
	for i := range times[1:] {
		if gap := (period{times[i], times[i+1]}); gap.to.Sub(gap.from) > longest.to.Sub(longest.from) {
			longest = gap
		}
	}
	total, gap := a.to.Sub(a.from), longest.to.Sub(longest.from)
	if rest := total - gap; rest > 0 && float64(gap) > cutShare*float64(total) {
		a.cut = longest
	}
}

func (a axis) isCut() bool { return a.cut.to > 0 }

// stretch is a part of the axis that is shown, and the cells that it takes.
type stretch struct {
	period
	first, cells int
}

// stretches are the parts before and behind the cut, of which each has a cell at
// least; without a cut the second is empty.
func (a axis) stretches() (before, behind stretch) {
	if !a.isCut() {
		return stretch{a.period, 0, a.cells}, stretch{}
	}
	before.period, behind.period = period{a.from, a.cut.from}, period{a.cut.to, a.to}
	share := float64(before.to.Sub(before.from)) / float64(max(before.to.Sub(before.from)+behind.to.Sub(behind.from), 1))
	before.cells = min(max(int(share*float64(a.cells-1)+0.5), 1), a.cells-2)
	behind.first = before.cells + 1
	behind.cells = a.cells - behind.first
	return before, behind
}

// place is where a moment is, in cells of the axis.
func (s stretch) place(t trace.Time) float64 {
	total := max(s.to.Sub(s.from), 1)
	return float64(s.first) + float64(max(t, s.from).Sub(s.from))/float64(total)*float64(s.cells)
}

// bar is the cells that an interval fills, at least one.
func (a axis) bar(i interval) (first, end int) {
	before, behind := a.stretches()
	of := func(t trace.Time) stretch {
		if a.isCut() && t >= a.cut.to {
			return behind
		}
		return before
	}
	start, last := of(i.start), of(i.end)
	first = min(int(start.place(i.start)), start.first+start.cells-1)
	end = min(int(last.place(i.end)+0.999), last.first+last.cells)
	return first, max(end, first+1)
}

// cutCell is the cell that stands for what is left out.
func (a axis) cutCell() int {
	before, _ := a.stretches()
	return before.cells
}

// crosses reports whether an interval lasts over what is left out.
func (a axis) crosses(i interval) bool {
	return a.isCut() && i.start <= a.cut.from && i.end >= a.cut.to
}

// ticks name as many moments of an axis as there is room for.
func (w *fall) ticks() string {
	total := w.axis.to.Sub(w.axis.from)
	switch {
	case total == 0:
		return duration(0)
	case w.axis.isCut():
		return w.cutTicks(total)
	}
	parts := 1
	for _, n := range []int{2, 4} {
		if w.axis.cells >= n*12 {
			parts = n
		}
	}
	out := ""
	for i := range parts + 1 {
		at := duration(total / time.Duration(parts) * time.Duration(i))
		place := w.axis.cells * i / parts
		if i == parts {
			at = duration(total)
			place = w.axis.cells - w.cells(at)
		}
		out += strings.Repeat(" ", max(place-w.cells(out), boolInt(i > 0))) + at
	}
	return out
}

// cutTicks name where the axis begins and ends and, where there is room, between which
// moments it is cut.
func (w *fall) cutTicks(total time.Duration) string {
	start, from := duration(0), duration(w.axis.cut.from.Sub(w.axis.from))
	to, end := duration(w.axis.cut.to.Sub(w.axis.from)), duration(total)
	cell := w.axis.cutCell()
	out := start
	if room := cell - w.cells(from); room > w.cells(out) {
		out += strings.Repeat(" ", room-w.cells(out)) + from
	}
	out += strings.Repeat(" ", max(cell-w.cells(out), 0)) + w.glyphs.cut
	if w.axis.cells-w.cells(out)-w.cells(end) > w.cells(to) {
		out += to
	}
	return out + strings.Repeat(" ", max(w.axis.cells-w.cells(out)-w.cells(end), 1)) + end
}
