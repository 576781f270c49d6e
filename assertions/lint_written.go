package assertions

import (
	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/internal/diag"
)

// written is an expression that stands in the file, compiled.
type written struct {
	flow    *Flow
	source  Expr
	root    *lang.Expr
	service string // of the span that it is about, if it is about one and that is known
	origin  string // the service of the spans that start the flow, if that is known
}

func (w written) at(e *lang.Expr) diag.Range { return w.source.At(e.From, e.To) }

// written are all expressions of a flow.
func (l *linter) written(f *Flow) []written {
	origin, originService := l.bare(f.Decl.Origin)
	if origin == nil && f.Decl.Trigger != nil {
		originService = "followspan"
	}
	var all []written
	add := func(source Expr, root *lang.Expr, service string) {
		if !source.IsZero() && root != nil {
			all = append(all, written{f, source, root, service, originService})
		}
	}
	per, _ := l.bare(f.Decl.Per.Expr)
	add(f.Decl.Origin, origin, originService)
	add(f.Decl.Per.Expr, per, originService)
	for i, s := range f.plan.sets {
		add(s.decl, s.selector, setService(f.plan, i))
	}
	for _, k := range f.plan.checks {
		if k.assertion.Kind == KindExpect || k.assertion.Kind == KindAcross {
			add(k.source, k.that, "")
		}
		add(k.guard, k.when, "")
	}
	return all
}

// bare compiles an expression over a span that stands alone, and finds that span's service.
func (l *linter) bare(e Expr) (root *lang.Expr, service string) {
	if e.IsZero() {
		return nil, ""
	}
	root, _ = lang.Compile(e.Text, &lang.Scope{Span: true, Bare: true, Params: constants(l.suite.file)})
	return root, requiredService(root)
}
