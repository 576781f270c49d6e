package lang

import "github.com/followspan/followspan/internal/diag"

// evalRuns are the closed instances that across: sees.
func evalRuns(f *Frame, e *Expr) Value {
	out := make([]Value, len(f.Runs))
	for i, r := range f.Runs {
		out[i] = Value{kind: Run, ref: r}
	}
	return listValue(out, nil)
}

// runField compiles a field of one run: its duration, its origin, or a declared set.
func (c *compiler) runField(e *Expr, s segment, start int) *Expr {
	out := &Expr{Op: OpField, Operator: s.name, Args: []*Expr{e}, index: -1, eval: evalRunField}
	switch i, ok := c.scope.set(s.name); {
	case ok:
		out.Type, out.index = typ(TSet), i
	case s.name == "duration":
		out.Type = typ(TDuration)
	case s.name == "origin":
		out.Type = typ(TSpan)
	default:
		names := append([]string{"duration", "origin"}, c.scope.Sets...)
		p := c.add(s.from, s.to, "unknown field of a run", "a run has no field %q", s.name)
		if near, ok := diag.Suggest(s.name, names); ok {
			p.try(near)
		} else {
			p.note("A run has duration, origin and every declared set.")
		}
		return c.bad(start, s.to)
	}
	return c.node(out, start, s.to).at(s.from, s.to)
}

func evalRunField(f *Frame, e *Expr) Value {
	v := e.Args[0].value(f)
	r, ok := v.ref.(*RunState)
	if !ok {
		return v
	}
	switch {
	case e.index >= 0:
		return setValue(r.Sets[e.index].Nodes, r.Sets[e.index].Doubt)
	case e.Operator == "duration" && r.Duration < 0:
		return missing
	case e.Operator == "duration":
		return durationValue(r.Duration)
	case r.Origin < 0:
		return missing
	}
	return spanValue(r.Origin)
}
