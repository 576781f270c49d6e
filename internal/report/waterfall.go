package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

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
	fall.missing()
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
	drawn    map[string]bool  // the signs of which bars were made
	list     []fallRow
	label    int // cells of the first column
}

// fallRow is one line of a waterfall.
type fallRow struct {
	to     string // the drawn lines that lead there
	branch *branch
	hop    string // how it hangs on what is above it, if it is not its child
	what   string // behind the service
	short  string // what, without the package of an RPC
	failed string
	notes  string
	trace  string // its id, for one of another trace; where there is room
}

func newFall(f trace.Flow, marked []trace.Node, s TextSettings) *fall {
	w := &fall{
		page: newPage(s), scene: newScene(f), tally: newTraceTally(f, allSpans), marks: map[trace.Node][]string{},
		critical: map[trace.Node][]trace.Stretch{}, paints: map[string]paint{}, count: map[string]int{}, drawn: map[string]bool{},
	}
	for _, n := range marked {
		w.marks[n] = []string{"match"}
	}
	w.tree = newGrove(f, keepErrors(f, w.marks))
	w.shown = uncut(f)
	if !s.Verbose {
		w.shown = fit(f, w.tree, treeLines, max(w.width/2/indentWidth, 4))
	}
	w.axis.period, w.origin = w.tally.period, w.tally.from
	w.axis.leaveOut(w.moments())
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

// moments are the known times of all spans.
func (w *fall) moments() (all []trace.Time) {
	for i := range w.flow.Len() {
		if at, ok := w.when(intervalOf(w.flow.Span(w.flow.Member(i)))); ok {
			all = append(all, at.start, at.end)
		}
	}
	return all
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
	what := role(span.Kind())
	if r.hop = hop(b.rule); r.hop != "" && span.Kind() == trace.Consumer {
		what = "" // who takes a message is a consumer
	}
	r.what, r.short = spanName(span.Name())+what, shortRPC(spanName(span.Name()))+what
	if span.Status() == trace.Error {
		r.failed = "ERROR"
		if m := span.StatusMessage(); m != "" {
			r.failed += " " + m
		}
	}
	r.notes = strings.Join(w.notes(b, span), " · ")
	if b.rule != trace.ByParent {
		r.trace = "trace " + span.TraceID().Short()
	}
	return r
}

func (w *fall) head() {
	size := w.size()
	if traces := w.traces(); traces > 1 {
		size += " in " + count(traces, "trace")
	}
	w.flowing([]piece{
		painted(bold, "trace "+w.flow.TraceID.String()), plainPiece,
		text(size + " · " + w.tally.length() + " · " + w.tally.errorWords()), plainPiece,
	})
	name := w.tally.name()
	if w.axis.from > 0 {
		name += " at " + w.axis.from.String()
	}
	w.line(0, text(name))
}

func (w *fall) traces() int {
	ids := map[trace.TraceID]bool{}
	for i := range w.flow.Len() {
		if s := w.flow.Span(w.flow.Member(i)); !s.Evicted() {
			ids[s.TraceID()] = true
		}
	}
	return len(ids)
}

// services are the legend of the colours, and say how many spans each one has.
func (w *fall) services() {
	const most = 12
	var pieces []piece
	for i, name := range w.order {
		if i == most && len(w.order) > most+1 && !w.settings.Verbose {
			pieces = append(pieces, text(fmt.Sprintf("… and %s more", number(len(w.order)-i))), plainPiece)
			break
		}
		pieces = append(pieces, painted(w.paints[name], serviceName(name)), text(" "+number(w.count[name])))
	}
	w.flowing(pieces)
}

// flowing writes pieces, in pairs that stay together, on as many lines as they need.
func (w *fall) flowing(pieces []piece) {
	const between = "   "
	var line []piece
	used := 0
	for pair := range slices.Chunk(pieces, 2) {
		n := w.cells(pair[0].text) + w.cells(pair[1].text)
		if used > 0 && used+len(between)+n > w.width {
			w.line(0, line...)
			line, used = nil, 0
		}
		if used > 0 {
			line, used = append(line, text(between)), used+len(between)
		}
		line, used = append(line, pair...), used+n
	}
	w.line(0, line...)
}
