package assertions

import "github.com/followspan/followspan/trace"

// invariants parts the declared invariants by what each is judged per: one trace
// unless an assertion says otherwise. Every part becomes a flow of its own.
func invariants(d *FlowDecl) []*FlowDecl {
	var parts []*FlowDecl
	part := func(p Per) *FlowDecl {
		if p.Kind == PerUnset {
			p = d.Per
		}
		for _, f := range parts {
			if f.Per.Kind == p.Kind && f.Per.Expr.Text == p.Expr.Text {
				return f
			}
		}
		f := *d
		f.Per, f.Expect, f.Never, f.Each = p, nil, nil, nil
		if p.Kind == PerValue {
			f.Stitch.Scope = trace.ScopeValue // without what the spans caused
		}
		if p.Kind != d.Per.Kind || p.Expr.Text != d.Per.Expr.Text {
			f.Name += " per " + p.String()
		}
		parts = append(parts, &f)
		return &f
	}
	for _, a := range d.Expect {
		f := part(a.Per)
		f.Expect = append(f.Expect, a)
	}
	for _, a := range d.Never {
		f := part(a.Per)
		f.Never = append(f.Never, a)
	}
	for _, e := range d.Each {
		f := part(e.Per)
		f.Each = append(f.Each, e)
	}
	if len(parts) == 0 {
		return []*FlowDecl{d}
	}
	return parts
}

// String is what the author writes.
func (p Per) String() string {
	switch p.Kind {
	case PerSpan:
		return "span"
	case PerTrace:
		return "trace"
	case PerSession:
		return "session"
	case PerValue:
		return p.Expr.Text
	}
	return ""
}

// IsInvariant reports whether the flow is a part of the file's invariants, which
// hold wherever they apply and need not happen.
func (f *Flow) IsInvariant() bool { return f.invariant }
