package report

import (
	"encoding/json"
	"io"
	"slices"
	"time"

	"github.com/followspan/followspan/trace"
)

// traceJSON is a trace for programs. Times are in nanoseconds, starts since the
// first one.
type traceJSON struct {
	TraceID  string      `json:"traceId"`
	Root     string      `json:"root"`
	Start    time.Time   `json:"start"`
	Duration int64       `json:"durationNano"`
	Spans    int         `json:"spanCount"`
	Errors   int         `json:"errorCount"`
	Services []string    `json:"services"`
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
	Start    int64       `json:"startNano"`
	Duration int64       `json:"durationNano"`
	Critical int64       `json:"criticalNano,omitempty"` // how long it was waited for
	Matches  bool        `json:"matches,omitempty"`
	Children []*spanJSON `json:"children,omitempty"`
}

func summarize(f trace.Flow) traceJSON {
	t := newTraceTally(f)
	out := traceJSON{TraceID: f.TraceID.String(), Root: t.name(), Start: time.Unix(0, int64(t.start)).UTC(),
		Duration: int64(t.end.Sub(t.start)), Spans: f.Len(), Errors: t.errors}
	for s := range t.services {
		out.Services = append(out.Services, s)
	}
	slices.Sort(out.Services)
	return out
}

// TraceJSONLine writes a line of JSON about a trace, without its spans.
func TraceJSONLine(w io.Writer, f trace.Flow) error { return json.NewEncoder(w).Encode(summarize(f)) }

// TraceJSON writes a trace with all of its spans, below what caused them, as JSON.
func TraceJSON(w io.Writer, f trace.Flow, marked []trace.Node) error {
	out := summarize(f)
	marks := map[trace.Node][]string{}
	for _, n := range marked {
		marks[n] = []string{""}
	}
	root := newGrove(f, marks)
	t := newTraceTally(f)
	critical := map[trace.Node]int64{}
	if t.node != trace.None {
		for _, s := range f.Critical(t.node, nil) {
			critical[s.Node] += int64(s.To.Sub(s.From))
		}
	}
	var below func(*branch) []*spanJSON
	below = func(b *branch) (all []*spanJSON) {
		for _, child := range b.children {
			s := &spanJSON{Missing: child.text, Critical: critical[child.node], Children: below(child)}
			if child.node != trace.None {
				s.describe(f.Span(child.node), t.start)
				s.Matches = child.marked
				if child.rule != trace.ByParent {
					s.Joined = child.rule.String()
				}
			}
			all = append(all, s)
		}
		return all
	}
	out.Tree = below(root)
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(out)
}

func (s *spanJSON) describe(span trace.Span, start trace.Time) {
	s.TraceID, s.SpanID, s.Service, s.Name = span.TraceID().String(), span.ID().String(), span.Service(), span.Name()
	s.Kind, s.Status, s.Message = span.Kind().String(), span.Status().String(), span.StatusMessage()
	s.Start, s.Duration = int64(span.Start().Sub(start)), int64(span.Duration())
}
