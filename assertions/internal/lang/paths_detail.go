package lang

// detail reads a field or an attribute of an event or a link.
func (c *compiler) detail(e *Expr, path []segment, start int) *Expr {
	s := path[0]
	fields := map[string]Type{"name": typ(TString), "time": typ(TTime), "attrs": typ(TMap)}
	noun := "events"
	if e.Type.Base == TLink {
		fields = map[string]Type{"traceID": typ(TString), "spanID": typ(TString), "span": typ(TSpan), "attrs": typ(TMap)}
		noun = "links"
	}
	if s.name == "attrs" && len(path) > 1 {
		return c.attr(e, path[1:], anywhere, start)
	}
	t, ok := fields[s.name]
	switch {
	case ok && (len(path) == 1 || t.Base == TSpan):
		f := c.node(&Expr{Op: OpField, Operator: s.name, Type: t, Args: []*Expr{e}, eval: evalOtherField}, start, s.to)
		if s.name == "span" {
			f.field = fieldByName["links"]
		}
		return c.path(f, path[1:])
	case len(path) == 1 && !s.quoted:
		c.add(s.from, s.to, "unknown field", "%s have no field %q", noun, s.name).try("attrs." + s.name + " for an attribute")
		return c.bad(start, s.to)
	}
	return c.attr(e, path, anywhere, start)
}

// response reads response.status, .duration, .body.… and .headers.….
func (c *compiler) response(e *Expr, path []segment, start int) *Expr {
	s := path[0]
	types := map[string]Type{"status": typ(TNumber), "duration": typ(TDuration), "body": typ(TAny), "headers": typ(TMap)}
	t, ok := types[s.name]
	if !ok {
		c.add(s.from, s.to, "unknown field of the response", "it has status, headers, body and duration").try(c.suggest(s.name, []string{"status", "headers", "body", "duration"})...)
		return c.bad(start, s.to)
	}
	out := &Expr{Op: OpResponse, Operator: s.name, Type: t, eval: evalResponse}
	if s.name == "headers" {
		if len(path) != 2 {
			c.add(s.from, s.to, "which header?", "headers are read by name").try(`response.headers["content-type"]`)
			return c.bad(start, s.to)
		}
		out.Type, out.keys = typ(TString), []string{path[1].name}
		return c.node(out, start, path[1].to)
	}
	return c.path(c.node(out, start, s.to), path[1:])
}
