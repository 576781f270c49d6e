package assertions

import (
	"fmt"

	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/internal/diag"
)

// gathersOrigins reports whether an instance may have several spans that origin
// selects: the first by start is the origin, once all have arrived.
func (d *FlowDecl) gathersOrigins() bool {
	switch d.Per.Kind {
	case PerValue, PerSession, PerTrace:
		return !d.Origin.IsZero()
	}
	return d.Trigger != nil && !d.Origin.IsZero()
}

// severalOrigins warns about origin in a flow whose instances may have several: the
// word means the first of them.
func (l *linter) severalOrigins(f *Flow) {
	d := f.Decl
	if d.Trigger != nil || !d.gathersOrigins() {
		return
	}
	set := l.setOfOrigins(f)
	for _, k := range f.plan.checks {
		for _, part := range []struct {
			source Expr
			root   *lang.Expr
		}{{k.source, k.that}, {k.guard, k.when}} {
			if at, ok := readsOrigin(part.source, part.root); ok && (k.assertion.Kind == KindExpect || part.root == k.when) {
				l.found = append(l.found, diag.Diagnostic{Severity: diag.Warning, What: "one of several origins", Range: at,
					Label: "with per an instance may have several, and this is only the first", Try: set})
			}
		}
	}
}

// readsOrigin is the first place where an expression names the origin.
func readsOrigin(source Expr, root *lang.Expr) (at diag.Range, found bool) {
	if source.IsZero() || root == nil {
		return at, false
	}
	root.Walk(func(e *lang.Expr) bool {
		if e.Op == lang.OpOrigin && !found {
			at, found = source.At(e.From, e.To), true
		}
		return true
	})
	return at, found
}

// setOfOrigins says what to write instead: a set of them all, the declared one if
// there is one.
func (l *linter) setOfOrigins(f *Flow) []string {
	for _, s := range f.plan.sets {
		if s.declared && s.selector != nil && oneLine(s.source) == oneLine(f.Decl.Origin.Text) {
			return []string{fmt.Sprintf("all(%s, …) or any(%s, …)", s.name, s.name), s.name + ".first or " + s.name + ".last, if one is meant"}
		}
	}
	return []string{"spans: {starts: " + oneLine(f.Decl.Origin.Text) + "}, and all(starts, …), starts.first or starts.last"}
}
