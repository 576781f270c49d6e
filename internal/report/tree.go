package report

import (
	"io"
	"slices"
	"strings"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/trace"
)

// Tree draws a flow: its spans below their parents, what other traces did below
// what caused it, with starts relative to the origin, durations and errors, and
// what never arrived where it is missing. Large flows are cut unless s.Verbose.
func Tree(w io.Writer, f trace.Flow, s TextSettings) error {
	p, of := newPage(s), newScene(f)
	if of.exists() {
		p.line(0, painted(bold, f.Declaration), text("   flow "+f.ID+" · "+of.size()+" · "+of.closed()))
		p.openEdges(2, of)
		p.tree(of, nil)
	}
	_, err := w.Write(p.Bytes())
	return err
}

// markedSpans is how many spans of one flow are marked as spoken of by failures.
const markedSpans = 40

// marksOf maps the spans of which failures speak to the names of these.
func marksOf(p *page, verdicts []assertions.Verdict) map[trace.Node][]string {
	marks := map[trace.Node][]string{}
	several := len(slices.DeleteFunc(slices.Clone(verdicts), func(v assertions.Verdict) bool { return !p.failed(v) })) > 1
	for i := range verdicts {
		if !p.failed(verdicts[i]) {
			continue
		}
		name, _ := p.word(&verdicts[i])
		if several {
			name += " " + verdicts[i].Assertion.Name
		}
		for _, n := range slices.Concat(verdicts[i].Explanation().Spans, verdicts[i].Explanation().Timeline) {
			node := n.Span.Node
			if slices.Contains(marks[node], name) || marks[node] == nil && len(marks) >= markedSpans {
				continue
			}
			marks[node] = append(marks[node], name)
		}
	}
	return marks
}

// Widths of the columns before a tree.
const (
	startWidth    = 9
	durationWidth = 9
	indentWidth   = 3
)

func (p *page) tree(s scene, marks map[trace.Node][]string) {
	if !s.exists() {
		return
	}
	if s.flow.Evicted() {
		p.paragraph(2, painted(dim, "no tree: "), "its spans made room for others once it was judged; raise --memory to see them")
		return
	}
	head := p.padLeft("start", startWidth) + p.padLeft("took", durationWidth)
	if !s.flow.TraceID.IsZero() {
		head += "  trace " + s.flow.TraceID.String()
	}
	p.line(0, painted(dim, head))
	root := newGrove(s.flow, marks)
	t := &drawing{page: p, scene: s, marks: marks, shown: uncut(s.flow)}
	if !p.settings.Verbose {
		t.shown = fit(s.flow, root, treeLines, max(p.width/2/indentWidth, 4))
	}
	for _, b := range t.shown.children(root, 0) {
		t.draw(b, 1, "", "")
	}
}

// drawing is a tree while it is drawn.
type drawing struct {
	*page
	scene
	shown cutting
	marks map[trace.Node][]string
}

// draw writes b behind the drawn lines that lead to it, and what is below it
// behind those that lead further down.
func (t *drawing) draw(b *branch, depth int, to, further string) {
	if depth > t.width/2/indentWidth {
		to, further = shorter(to), shorter(further)
	}
	t.branchLine(b, to)
	children := t.shown.children(b, depth)
	for i, child := range children {
		if i == len(children)-1 {
			t.draw(child, depth+1, further+t.glyphs.last, further+t.glyphs.blank)
		} else {
			t.draw(child, depth+1, further+t.glyphs.branch, further+t.glyphs.bar)
		}
	}
}

func (t *drawing) branchLine(b *branch, to string) {
	if b.node == trace.None {
		t.line(startWidth+durationWidth+2, painted(dim, to), text(b.text))
		return
	}
	span := t.flow.Span(b.node)
	times := t.padLeft(t.at(span.Start()), startWidth) + t.padLeft(t.took(intervalOf(span)), durationWidth) + "  "
	what := hop(b.rule) + serviceName(span.Service()) + "  " + spanName(span.Name()) + role(span.Kind()) + t.oddities(b)
	failed, mark := t.ends(b, span)
	room := t.width - startWidth - durationWidth - 2 - t.cells(to) - t.cells(failed) - t.cells(mark)
	t.line(0, text(times), painted(dim, to), text(t.cut(t.clean(what), max(room, 16))), painted(red, failed), painted(red, mark))
}

// ends is what stands behind a span: its error and the failures that speak of it.
func (t *drawing) ends(b *branch, span trace.Span) (failed, mark string) {
	if span.Status() == trace.Error {
		failed = "  ERROR"
		if m := span.StatusMessage(); m != "" {
			failed += " " + t.cut(t.clean(m), t.width/4)
		}
	}
	if names := t.marks[b.node]; len(names) > 0 {
		mark = "  " + t.glyphs.pointer + t.cut(t.clean(strings.Join(names, ", ")), t.width/3)
	}
	return failed, mark
}

// oddities are what is unusual about how a span came.
func (t *drawing) oddities(b *branch) string {
	s := ""
	if n := t.flow.Copies(b.node); n > 1 {
		s += ", received " + times(n)
	}
	if b.rule != trace.ByParent {
		s += "  trace " + t.flow.Span(b.node).TraceID().Short()
	}
	return s
}

// hop is how a span hangs on what is above it, if it is not its child.
func hop(r trace.Rule) string {
	if r == trace.ByParent {
		return ""
	}
	return "~> " + r.String() + "  "
}

// shorter takes one level from the lines that lead to a deep branch, so that they
// stay within half of the width.
func shorter(to string) string {
	runes := []rune(to)
	if len(runes) < indentWidth {
		return to
	}
	return string(runes[indentWidth:])
}
