package lang

// Kleene logic: a boolean is true, false or unknown, and an error is an unknown
// with a reason, so false and ERROR is false. A missing boolean does not hold.

// truth reads v as a boolean: what is missing stays missing, what is no boolean
// is an error.
func (e *Expr) truth(v Value) Value {
	switch v.kind {
	case Bool, Unknown, Missing:
		return v
	}
	return e.fail("this is %s, not true or false", describe(v))
}

func evalAnd(f *Frame, e *Expr) Value {
	l := e.Args[0].value(f)
	if l.False() {
		return no
	}
	if l = e.Args[0].truth(l); l.True() && e.Args[1].Type.Base == TBool {
		if r := e.Args[1].value(f); r.kind != Missing {
			return r
		}
		return no
	}
	r := e.Args[1].truth(e.Args[1].value(f))
	switch {
	case r.False() || l.kind == Missing || r.kind == Missing:
		return no
	case l.kind == Unknown || r.kind == Unknown:
		return unknown(worse(l.Doubt(), r.Doubt()))
	}
	return yes
}

func evalOr(f *Frame, e *Expr) Value {
	l := e.Args[0].truth(e.Args[0].value(f))
	if l.True() {
		return yes
	}
	r := e.Args[1].truth(e.Args[1].value(f))
	switch {
	case r.True():
		return yes
	case l.kind == Unknown || r.kind == Unknown:
		return unknown(worse(l.Doubt(), r.Doubt()))
	}
	return no
}

func evalNot(f *Frame, e *Expr) Value {
	v := e.Args[0].truth(e.Args[0].value(f))
	if v.kind == Bool {
		return boolValue(v.num == 0)
	}
	return v
}

// evalIf decides by a known condition only; a missing one does not hold.
func evalIf(f *Frame, e *Expr) Value {
	c := e.Args[0].truth(e.Args[0].value(f))
	switch {
	case c.kind == Unknown:
		return c
	case c.True():
		return e.Args[1].value(f)
	}
	return e.Args[2].value(f)
}

func evalElse(f *Frame, e *Expr) Value {
	if v := e.Args[0].value(f); v.kind != Missing {
		return v
	}
	return e.Args[1].value(f)
}

func evalLet(f *Frame, e *Expr) Value {
	f.slots[e.slot] = e.Args[0].value(f)
	return e.Args[1].value(f)
}

func evalLiteral(f *Frame, e *Expr) Value { return e.lit }

func evalSlot(f *Frame, e *Expr) Value { return f.slots[e.slot] }

func evalList(f *Frame, e *Expr) Value {
	elems := make([]Value, len(e.Args))
	var d *Doubt
	for i, a := range e.Args {
		elems[i] = a.value(f)
		if elems[i].kind == Unknown {
			d = worse(d, elems[i].Doubt())
		}
	}
	if d != nil {
		return unknown(d)
	}
	return listValue(elems, nil)
}
