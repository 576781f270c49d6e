package assertions

import (
	"fmt"
	"strconv"

	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/trace"
)

func (x *explainer) note(format string, a ...any) {
	x.Notes = append(x.Notes, fmt.Sprintf(format, a...))
}

func (x *explainer) fact(label, format string, a ...any) {
	x.Facts = append(x.Facts, Fact{label, fmt.Sprintf(format, a...)})
}

func (x *explainer) ref(n trace.Node) SpanRef { return ref(x.flow.View, n) }

func (x *explainer) name(n trace.Node) string { return clone(x.frame.SpanName(n)) }

func (x *explainer) show(v lang.Value) string { return clone(x.frame.Show(v)) }

// span adds a span to look at.
func (x *explainer) span(n trace.Node, format string, a ...any) {
	x.Of++
	if len(x.Spans) < maxSpans {
		x.Spans = append(x.Spans, SpanNote{x.ref(n), fmt.Sprintf(format, a...)})
	}
}

// onTime adds a span to the timeline.
func (x *explainer) onTime(n trace.Node, format string, a ...any) {
	if len(x.Timeline) < maxSpans {
		x.Timeline = append(x.Timeline, SpanNote{x.ref(n), fmt.Sprintf(format, a...)})
	}
}

// maxSpans is how many spans a verdict keeps of one kind.
const maxSpans = 20

// values records what every part of the assertion was, each under its own column.
func (x *explainer) values() {
	source := x.check.source
	if source.IsZero() || x.check.target >= 0 {
		return
	}
	x.valuesOf(x.check.that, source.At)
}

func (x *explainer) valuesOf(root *lang.Expr, at func(from, to int) diag.Range) {
	taken := map[int]bool{}
	root.Outside(func(e *lang.Expr) {
		text, ok := x.valueOf(e)
		if ok && !taken[e.AtFrom] {
			taken[e.AtFrom] = true
			x.Values = append(x.Values, ValueAt{At: at(e.AtFrom, e.AtTo), Text: clone(e.Text()), Show: text})
		}
	})
}

// valueOf formats the value of a part that is worth showing.
func (x *explainer) valueOf(e *lang.Expr) (string, bool) {
	switch e.Op {
	case lang.OpLiteral, lang.OpList, lang.OpElement, lang.OpClosure, lang.OpLet, lang.OpIf, lang.OpResponse:
		if e.Op != lang.OpResponse || e.Operator == "response" {
			return "", false
		}
	}
	v := e.Value(x.frame)
	if v.Kind() == lang.Set || v.Kind() == lang.Span {
		return counted(len(v.Nodes()), "span"), true
	}
	if number, ok := v.Number(); ok && v.Kind() == lang.Float && e.Op != lang.OpAttr {
		return strconv.FormatFloat(number, 'g', 4, 64), true
	}
	return x.show(v), true
}
