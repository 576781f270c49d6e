package assertions

import (
	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/trace"
)

// Memberships says which spans start an instance of each flow and what belongs
// to it, in the order of Flows. Package store applies them. The functions in it
// are used by one goroutine at a time.
func (s *Suite) Memberships() []trace.Membership {
	var out []trace.Membership
	for _, f := range s.flows {
		out = append(out, s.membership(f))
	}
	return out
}

func (s *Suite) membership(f *Flow) trace.Membership {
	d := f.Decl
	m := trace.Membership{Flow: f.Name, Scope: d.Stitch.Scope, Hops: d.Stitch.Hops, Silent: d.Stitch.Silent, Timing: f.Timing}
	for _, key := range d.Stitch.Keys {
		m.Keys = append(m.Keys, trace.Correlation{Key: key, Of: lang.Attribute(key)})
	}
	m.Opens = opening(d)
	bare := &lang.Scope{Span: true, Bare: true, Params: constants(s.file)}
	if !d.Origin.IsZero() {
		m.Origin = matcher(d.Origin.Text, bare)
	} else if m.Opens == trace.OpensByKey {
		m.Origin = func(trace.Span) bool { return true }
		if m.Scope == trace.ScopeAuto {
			m.Scope = trace.ScopeValue
		}
	}
	if m.Opens == trace.OpensByKey {
		m.Per = key(d.Per.Expr.Text, bare)
	}
	return m
}

func opening(d *FlowDecl) trace.Opening {
	switch {
	case d.Trigger != nil:
		return trace.OpensByTrigger
	case d.Per.Kind == PerTrace:
		return trace.OpensByTrace
	case d.Per.Kind == PerSession:
		return trace.OpensBySession
	case d.Per.Kind == PerValue:
		return trace.OpensByKey
	}
	return trace.OpensBySpan
}

// matcher is a selector over spans that stand alone. A span about which it cannot
// be answered starts nothing.
func matcher(source string, bare *lang.Scope) func(trace.Span) bool {
	x, _ := lang.Compile(source, bare)
	f := &lang.Frame{Origin: trace.None}
	return func(s trace.Span) bool { return x.OfBareSpan(f, s).True() }
}

// key is the value that groups origins, as a text.
func key(source string, bare *lang.Scope) func(trace.Span) (string, bool) {
	x, _ := lang.Compile(source, bare)
	f := &lang.Frame{Origin: trace.None}
	return func(s trace.Span) (string, bool) {
		v := x.OfBareSpan(f, s)
		if v.Kind() == lang.Missing || v.Kind() == lang.Unknown {
			return "", false
		}
		if text := v.Str(); text != "" {
			return text, true
		}
		return v.Text(), true
	}
}

// origins checks what memberships will compile.
func (c *compiler) origins(d *FlowDecl) {
	bare := &lang.Scope{Span: true, Bare: true, Params: c.params, Sets: c.declared()}
	if !d.Origin.IsZero() {
		_, found := lang.CompileBool(d.Origin.Text, bare)
		c.report(d.Origin, found)
	}
	if d.Per.Kind == PerValue {
		_, found := lang.Compile(d.Per.Expr.Text, bare)
		c.report(d.Per.Expr, found)
	}
}
