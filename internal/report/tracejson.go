package report

import (
	"encoding/json"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/followspan/followspan/trace"
)

// traceJSON is a trace for programs. Times are in nanoseconds, starts since the
// first one.
type traceJSON struct {
	TraceID  string      `json:"traceId"`
	Root     string      `json:"root"`
	Start    *time.Time  `json:"start,omitempty"` // of the first span that has a time
	Duration int64       `json:"durationNano"`
	Spans    int         `json:"spanCount"`
	Errors   int         `json:"errorCount"`
	Services []string    `json:"services"`
	Others   []string    `json:"goesOnIn,omitempty"` // other traces
	Tree     []*spanJSON `json:"spans,omitempty"`
}

// spanJSON is a span with what is below it.
type spanJSON struct {
	Missing  string      `json:"missing,omitempty"` // in words; then there is no span
	TraceID  string      `json:"traceId,omitempty"`
	SpanID   string      `json:"spanId,omitempty"`
	Joined   string      `json:"joinedBy,omitempty"` // link or message, if not by its parent
	Service  string      `json:"service,omitempty"`
	Name     string      `json:"name,omitempty"`
	Kind     string      `json:"kind,omitempty"`
	Status   string      `json:"status,omitempty"`
	Message  string      `json:"statusMessage,omitempty"`
	Start    *int64      `json:"startNano,omitempty"`    // nil if the span has no start
	Duration *int64      `json:"durationNano,omitempty"` // nil if the span lacks a time
	Critical int64       `json:"criticalNano,omitempty"` // how long it was waited for
	Matches  bool        `json:"matches,omitempty"`
	Children []*spanJSON `json:"children,omitempty"`
}

func (t *traceTally) summary(f trace.Flow) traceJSON {
	out := traceJSON{TraceID: f.TraceID.String(), Root: t.name(), Duration: int64(t.to.Sub(t.from)), Spans: t.spans, Errors: t.errors,
		Services: slices.Sorted(maps.Keys(t.services))}
	if t.from > 0 {
		start := t.from.Std()
		out.Start = &start
	}
	for _, id := range t.others {
		out.Others = append(out.Others, id.String())
	}
	return out
}

// TraceJSONLine writes a line of JSON about a trace, without its spans and those of
// traces in which it goes on.
func TraceJSONLine(w io.Writer, f trace.Flow) error {
	return json.NewEncoder(w).Encode(newTraceTally(f, ownSpans(f)).summary(f))
}

// TraceJSON writes a trace with all of its spans, below what caused them, as JSON. It
// is indented unless that would be most of it.
func TraceJSON(w io.Writer, f trace.Flow, marked []trace.Node) error {
	marks := map[trace.Node][]string{}
	for _, n := range marked {
		marks[n] = []string{""}
	}
	t := &treeJSON{scene: newScene(f), tally: newTraceTally(f, allSpans), critical: map[trace.Node]int64{}}
	if t.tally.node != trace.None {
		for _, s := range f.Critical(t.tally.node, nil) {
			t.critical[s.Node] += int64(s.To.Sub(s.From))
		}
	}
	out := t.tally.summary(f)
	out.Tree = t.below(newGrove(f, marks))
	e := json.NewEncoder(w)
	if depth(out.Tree) <= mostIndented {
		e.SetIndent("", "  ")
	}
	return e.Encode(out)
}

// mostIndented is how deep spans may lie in a trace that is indented.
const mostIndented = 100

func depth(all []*spanJSON) (most int) {
	for _, s := range all {
		most = max(most, 1+depth(s.Children))
	}
	return most
}

// treeJSON is a trace while it is described.
type treeJSON struct {
	scene
	tally    *traceTally
	critical map[trace.Node]int64
}

func (t *treeJSON) below(b *branch) (all []*spanJSON) {
	for _, child := range b.children {
		s := &spanJSON{Missing: child.text, Critical: t.critical[child.node], Children: t.below(child)}
		if child.node != trace.None {
			t.describe(s, t.flow.Span(child.node))
			s.Matches = child.marked
			if child.rule != trace.ByParent {
				s.Joined = child.rule.String()
			}
		}
		all = append(all, s)
	}
	return all
}

func (t *treeJSON) describe(s *spanJSON, span trace.Span) {
	s.TraceID, s.SpanID, s.Service, s.Name = span.TraceID().String(), span.ID().String(), span.Service(), span.Name()
	s.Kind, s.Status, s.Message = span.Kind().String(), span.Status().String(), span.StatusMessage()
	if t.knows(span.Start()) {
		start := int64(span.Start().Sub(t.tally.from))
		s.Start = &start
		if t.knows(span.End()) {
			took := int64(span.Duration())
			s.Duration = &took
		}
	}
}
