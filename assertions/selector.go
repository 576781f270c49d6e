package assertions

import (
	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/trace"
)

// Selector picks spans, as the --where flag of commands does. It is used by one
// goroutine at a time.
type Selector struct {
	expr  *lang.Expr
	frame *lang.Frame
}

// CompileSelector compiles an expression over one span. The diagnostics point
// into src.
func CompileSelector(src *diag.Source) (*Selector, diag.List) {
	x, found := lang.CompileBool(src.Text(), &lang.Scope{Span: true})
	var problems diag.List
	for _, p := range found {
		problems = append(problems, diagnostic(p, src.Range(p.From, p.To)))
	}
	if x == nil {
		return nil, problems.Sorted()
	}
	return &Selector{x, &lang.Frame{Origin: trace.None}}, problems.Sorted()
}

// Match reports whether the span of a node satisfies the selector, as far as the
// view can tell. A span about which it cannot be answered does not.
func (s *Selector) Match(v trace.View, n trace.Node) bool {
	s.frame.View = v
	return s.expr.OfSpan(s.frame, n).True()
}
