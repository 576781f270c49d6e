package lang

// evalRuns are the closed instances that across: sees.
func evalRuns(f *Frame, e *Expr) Value {
	out := make([]Value, len(f.Runs))
	for i, r := range f.Runs {
		out[i] = Value{kind: Run, ref: r}
	}
	return listValue(out, f.coming())
}

// runField compiles a field of one run: its duration, its origin, or a declared set.
func (c *compiler) runField(e *Expr, s segment, start int) *Expr {
	c.add(s.from, s.to, "unknown field of a run", "a run has no field %q", s.name)
	return c.bad(start, s.to)
}
