package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/trace"
)

// Waterfall draws the spans of a flow below each other on one axis of time, with
// what was waited for filled in: together these cells are the critical path. Marked
// spans are pointed at and never left out. Of a large flow what repeats is told in
// one line, unless s.Verbose. The flow may be bare: a whole trace, with what its
// links and messages led to.
func Waterfall(w io.Writer, f trace.Flow, marked []trace.Node, s TextSettings) error {
	fall := newFall(f, marked, s)
	fall.head()
	fall.services()
	fall.openEdges(0, fall.scene)
	fall.rows()
	fall.path()
	_, err := w.Write(fall.Bytes())
	return err
}

// fall is a waterfall while it is drawn.
type fall struct {
	*page
	scene
	axis     axis
	shown    cutting
	tree     *branch
	tally    *traceTally
	marks    map[trace.Node][]string
	stretch  []trace.Stretch // the critical path of the root
	critical map[trace.Node][]trace.Stretch
	paints   map[string]paint // by service
	order    []string         // of the services, as they first appear
	count    map[string]int   // of spans
	list     []fallRow
	label    int // cells of the first column
}

// fallRow is one line of a waterfall.
type fallRow struct {
	to     string // the drawn lines that lead there
	branch *branch
	hop    string // how it hangs on what is above it, if it is not its child
	what   string // behind the service
	failed string
	notes  string
}

func newFall(f trace.Flow, marked []trace.Node, s TextSettings) *fall {
	w := &fall{
		page: newPage(s), scene: newScene(f), tally: newTraceTally(f), marks: map[trace.Node][]string{},
		critical: map[trace.Node][]trace.Stretch{}, paints: map[string]paint{}, count: map[string]int{},
	}
	for _, n := range marked {
		w.marks[n] = []string{"match"}
	}
	w.tree = newGrove(f, w.marks)
	w.shown = uncut(f)
	if !s.Verbose {
		w.shown = fit(f, w.tree, treeLines, max(w.width/2/indentWidth, 4))
	}
	w.measure()
	w.meet(w.tree)
	if w.tally.node != trace.None {
		w.stretch = f.Critical(w.tally.node, nil)
	}
	for _, c := range w.stretch {
		w.critical[c.Node] = append(w.critical[c.Node], c)
	}
	for _, b := range w.shown.children(w.tree, 0) {
		w.gather(b, 1, "", "")
	}
	return w
}

// measure finds where the axis begins and ends. A span without a time has no place
// on it.
func (w *fall) measure() {
	for i := range w.flow.Len() {
		s := w.flow.Span(w.flow.Member(i))
		if s.Start() == 0 {
			continue
		}
		if w.axis.from == 0 || s.Start() < w.axis.from {
			w.axis.from = s.Start()
		}
		w.axis.to = max(w.axis.to, s.End(), s.Start())
	}
	w.origin = w.axis.from
}

// meet lists the services in the order in which they appear.
func (w *fall) meet(b *branch) {
	if b.node != trace.None {
		name := w.flow.Span(b.node).Service()
		if w.count[name]++; w.count[name] == 1 {
			w.paints[name] = servicePaints[len(w.order)%len(servicePaints)]
			w.order = append(w.order, name)
		}
	}
	for _, c := range b.children {
		w.meet(c)
	}
}

// servicePaints tell services apart; red is for errors.
var servicePaints = []paint{"36", "35", "33", "34", "32", "96", "95", "93", "94", "92"}

// gather makes rows of b and what is below it.
func (w *fall) gather(b *branch, depth int, to, further string) {
	if depth > w.width/3/indentWidth {
		to, further = shorter(to), shorter(further)
	}
	w.list = append(w.list, w.row(b, to))
	children := w.shown.children(b, depth)
	for i, child := range children {
		if i == len(children)-1 {
			w.gather(child, depth+1, further+w.glyphs.last, further+w.glyphs.blank)
		} else {
			w.gather(child, depth+1, further+w.glyphs.branch, further+w.glyphs.bar)
		}
	}
}

func (w *fall) row(b *branch, to string) fallRow {
	r := fallRow{to: to, branch: b}
	if b.node == trace.None {
		return r
	}
	span := w.flow.Span(b.node)
	r.hop, r.what = hop(b.rule), spanName(span.Name())+role(span.Kind())
	if span.Status() == trace.Error {
		r.failed = "ERROR"
		if m := span.StatusMessage(); m != "" {
			r.failed += " " + m
		}
	}
	r.notes = strings.Join(w.notes(b, span), " · ")
	return r
}

// notes are what is worth a remark about a span.
func (w *fall) notes(b *branch, span trace.Span) (notes []string) {
	if len(w.marks[b.node]) > 0 {
		notes = append(notes, w.glyphs.pointer+"match")
	}
	if b.rule != trace.ByParent {
		if late := w.delay(b.node); late > 0 {
			notes = append(notes, duration(late)+" later")
		}
		notes = append(notes, "trace "+shortTrace(span.TraceID()))
	}
	if n := w.flow.Copies(b.node); n > 1 {
		notes = append(notes, "received "+times(n))
	}
	if n := w.dangling(b.node, span); n > 0 {
		notes = append(notes, count(n, "dangling link"))
	}
	if gap := w.gap(b.node); gap >= max(w.axis.to.Sub(w.axis.from)/5, time.Millisecond) {
		notes = append(notes, "gap "+duration(gap))
	}
	return notes
}

// delay is how long after the end of what it follows from a span started; 0 if it
// follows from nothing.
func (w *fall) delay(n trace.Node) time.Duration {
	for cause := range w.flow.Causes(n) {
		return w.flow.Span(n).Start().Sub(w.flow.Span(cause).End())
	}
	return 0
}

// dangling is how many links of a span lead to spans that were not received.
func (w *fall) dangling(n trace.Node, span trace.Span) (missing int) {
	for l := range span.Links() {
		found := false
		for cause := range w.flow.Causes(n) {
			c := w.flow.Span(cause)
			found = found || c.ID() == l.SpanID() && c.TraceID() == l.TraceID()
		}
		if p, ok := w.flow.Parent(n); ok {
			found = found || w.flow.Span(p).ID() == l.SpanID()
		}
		missing += boolInt(!found)
	}
	return missing
}

// gap is the longest time in which none of a span's children ran; 0 if it has none.
func (w *fall) gap(n trace.Node) (longest time.Duration) {
	span, at := w.flow.Span(n), trace.Time(0)
	for _, c := range byStart(w.flow, w.flow.Children(n)) {
		s := w.flow.Span(c)
		if s.Start() == 0 {
			continue // it says no time
		}
		if at == 0 {
			at = span.Start()
		}
		longest, at = max(longest, min(s.Start(), span.End()).Sub(at)), max(at, s.End())
	}
	if at == 0 {
		return 0
	}
	return max(longest, span.End().Sub(at))
}

func (w *fall) head() {
	size := w.size()
	if traces := w.traces(); traces > 1 {
		size += " in " + count(traces, "trace")
	}
	w.line(0, painted(bold, "trace "+w.flow.TraceID.String()), text("   "+size+" · "+duration(w.axis.to.Sub(w.axis.from))+" · "+w.tally.errorWords()))
	if w.axis.from > 0 {
		w.line(0, text(w.tally.name()+" at "+w.axis.from.String()))
	}
}

func (w *fall) traces() int {
	ids := map[trace.TraceID]bool{}
	for i := range w.flow.Len() {
		ids[w.flow.Span(w.flow.Member(i)).TraceID()] = true
	}
	return len(ids)
}

// services are the legend of the colours, and say how many spans each one has.
func (w *fall) services() {
	const most = 12
	var pieces []piece
	for i, name := range w.order {
		if i == most && len(w.order) > most+1 && !w.settings.Verbose {
			pieces = append(pieces, text(fmt.Sprintf("… and %s more", number(len(w.order)-i))))
			break
		}
		pieces = append(pieces, painted(w.paints[name], serviceName(name)), text(" "+number(w.count[name])+"   "))
	}
	w.flowing(pieces)
}

// flowing writes pieces, in pairs that stay together, on as many lines as they need.
func (w *fall) flowing(pieces []piece) {
	var line []piece
	used := 0
	for len(pieces) > 0 {
		pair := pieces[:min(2, len(pieces))]
		pieces = pieces[len(pair):]
		n := 0
		for _, p := range pair {
			n += w.cells(p.text)
		}
		if used > 0 && used+n > w.width {
			w.line(0, line...)
			line, used = nil, 0
		}
		line, used = append(line, pair...), used+n
	}
	w.line(0, line...)
}

// Widths of the columns beside a waterfall.
const (
	fallDuration = 8
	leastBar     = 10
	mostBar      = 60
)

// layout divides the width between labels, bars and what stands behind them.
func (w *fall) layout() {
	label, behind := 0, 0
	for _, r := range w.list {
		if r.branch.node != trace.None {
			label = max(label, w.cells(r.to+r.hop+w.serviceOf(r)+"  "+r.what))
			behind = max(behind, w.cells(r.behind()))
		}
	}
	behind = min(behind, w.width/4)
	w.label = min(label, max((w.width-behind)/2, 16))
	w.axis.cells = min(max(w.width-w.label-behind-fallDuration-5, leastBar), mostBar)
}

func (w *fall) serviceOf(r fallRow) string {
	return serviceName(w.flow.Span(r.branch.node).Service())
}

func (r fallRow) behind() string {
	return strings.TrimSpace(r.failed + "  " + r.notes)
}

func (w *fall) rows() {
	w.layout()
	w.blank()
	w.line(0, painted(dim, strings.Repeat(" ", w.label+2)+w.ticks()))
	for _, r := range w.list {
		w.draw(r)
	}
}

// ticks name as many moments above the bars as there is room for.
func (w *fall) ticks() string {
	parts := 1
	for _, n := range []int{2, 4} {
		if w.axis.cells >= n*12 {
			parts = n
		}
	}
	total := w.axis.to.Sub(w.axis.from)
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

func (w *fall) draw(r fallRow) {
	if r.branch.node == trace.None {
		w.line(0, painted(dim, r.to), painted(dim, r.branch.text))
		return
	}
	span := w.flow.Span(r.branch.node)
	service := painted(w.paints[span.Service()], w.serviceOf(r))
	what := "  " + r.what
	room := w.label - w.cells(r.to) - w.cells(r.hop) - w.cells(service.text)
	if w.cells(what) > room {
		what = w.cut(w.clean(what), max(room, 0))
	}
	pad := strings.Repeat(" ", max(room-w.cells(what), 0))
	pieces := w.within(w.label, painted(dim, r.to), painted(dim, r.hop), service, text(what+pad))
	pieces = append(pieces, text(" "), painted(dim, w.glyphs.edge), painted(w.paints[span.Service()], w.bar(r.branch.node, span)), painted(dim, w.glyphs.edge))
	pieces = append(pieces, text(w.padLeft(duration(span.Duration()), fallDuration)))
	if r.failed != "" {
		room := w.width - w.label - w.axis.cells - fallDuration - 5
		if r.notes != "" {
			room -= w.cells(r.notes) + 2
		}
		pieces = append(pieces, painted(red, "  "+w.cut(w.clean(r.failed), max(room, len("ERROR")))))
	}
	if r.notes != "" {
		pieces = append(pieces, text("  "+r.notes))
	}
	w.line(0, pieces...)
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
	if span.Start() == 0 {
		return strings.Join(cells, "")
	}
	first, end := w.place(span.Start(), span.End())
	for i := first; i < end; i++ {
		cells[i] = w.glyphs.thin
	}
	if span.End() <= span.Start() {
		cells[first] = w.glyphs.instant
	}
	for _, c := range w.critical[n] {
		if c.To <= c.From {
			continue
		}
		first, end := w.place(c.From, c.To)
		for i := first; i < end; i++ {
			cells[i] = w.glyphs.filled
		}
	}
	return strings.Join(cells, "")
}

func (w *fall) place(from, to trace.Time) (first, end int) {
	return w.axis.bar(assertions.SpanRef{Start: max(from, w.axis.from), End: to})
}
