package assertions

import (
	"errors"
	"sync"

	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/trace"
)

// Selector is a predicate over one span, as flow files have it under spans, for whoever looks at flows without a
// flow file. It is used by one goroutine at a time.
type Selector struct {
	expr  *lang.Expr
	frame lang.Frame
	flow  *trace.FlowRecord // that the frame is of
}

// CompileSelector compiles a selector. The source is all of its text, and its name is for messages: --where. The
// Selector is nil if a problem is an error.
func CompileSelector(src *diag.Source) (*Selector, diag.List) {
	expr, found := lang.CompileBool(src.Text(), &lang.Scope{Span: true})
	var problems diag.List
	for _, p := range found {
		problems = append(problems, diagnostic(p, src.Range(p.From, p.To)))
	}
	if problems.HasErrors() {
		return nil, problems
	}
	return &Selector{expr: expr}, problems
}

// Matches reports whether a member of a closed flow satisfies the selector. The error says why that cannot be told,
// as of a string that is compared with a number.
func (s *Selector) Matches(f trace.Flow, n trace.Node) (bool, error) {
	if s.flow != f.FlowRecord {
		s.flow, s.frame = f.FlowRecord, lang.Frame{View: f.View, Origin: trace.None, Member: f.Contains, Orphan: orphans(f)}
		s.frame.Order = sync.OnceValue(func() lang.Order { return trace.NewOrder(f, 0) })
		if origin, ok := f.Origin(); ok {
			s.frame.Origin = origin
		}
	}
	v := s.expr.Asked(&s.frame, n)
	if v.Kind() == lang.Unknown {
		return false, errors.New(v.Doubt().Text)
	}
	return v.True(), nil
}
