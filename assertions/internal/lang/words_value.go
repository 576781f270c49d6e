package lang

import "math"

var valueArg = Arg{Name: "v", Kind: AnyArg}

var valueWords = []*Word{
	{Name: "same", Group: "data", Doc: "all are present and equal: one value that flows through", Args: []Arg{valueArg, {Name: "v", Kind: AnyArg, Many: true}}, Result: typ(TBool), Class: Fixed, run: runSame},
	{Name: "conserved", Group: "data", Doc: "equal numbers, exactly for ints, within a billionth for floats", Args: []Arg{valueArg, valueArg}, Result: typ(TBool), Class: Fixed, run: runConserved},
	{Name: "exactlyOnce", Group: "data", Whole: true, Doc: "for each distinct value of the key there is exactly one, and every span has the key", Args: []Arg{spansArg, keyArg}, Result: typ(TBool), run: runExactlyOnce, Edges: true},
	{Name: "atLeastOnce", Group: "data", Whole: true, Doc: "there is a span, and every span has the key", Args: []Arg{spansArg, keyArg}, Result: typ(TBool), run: runAtLeastOnce, Edges: true},
	{Name: "isInt", Group: "data", Doc: "it is a whole number, not a string of digits", Args: []Arg{valueArg}, Result: typ(TBool), Class: Fixed, run: isKind(Int)},
	{Name: "isFloat", Group: "data", Doc: "it is a floating-point number", Args: []Arg{valueArg}, Result: typ(TBool), Class: Fixed, run: isKind(Float)},
	{Name: "isString", Group: "data", Doc: "it is a string", Args: []Arg{valueArg}, Result: typ(TBool), Class: Fixed, run: isKind(String)},
	{Name: "isBool", Group: "data", Doc: "it is true or false", Args: []Arg{valueArg}, Result: typ(TBool), Class: Fixed, run: isKind(Bool)},
	{Name: "isList", Group: "data", Doc: "it is a list", Args: []Arg{valueArg}, Result: typ(TBool), Class: Fixed, run: isKind(List)},
}

// argument evaluates argument i; the doubt is why it could still change.
func (e *Expr) argument(f *Frame, i int) (Value, *Doubt) {
	v := e.Args[i].value(f)
	return v, v.Doubt()
}

func runSame(f *Frame, e *Expr) (Value, *Doubt) {
	var first Value
	var d *Doubt
	same := true
	for i := range e.Args {
		v, di := e.argument(f, i)
		d = worse(d, di)
		switch {
		case v.kind == Unknown:
		case v.kind == Missing:
			return no, nil
		case first.kind == Missing:
			first = v
		default:
			same = same && equal(first, v) // another type is another value
		}
	}
	if !same && (d == nil || d.Why != Failed) {
		return no, d
	}
	if d != nil {
		return unknown(d), nil
	}
	return boolValue(same), nil
}

func runConserved(f *Frame, e *Expr) (Value, *Doubt) {
	a, da := e.argument(f, 0)
	b, db := e.argument(f, 1)
	switch {
	case a.kind == Missing || b.kind == Missing:
		return no, nil
	case da != nil || db != nil:
		return unknown(worse(da, db)), nil
	case a.kind == Duration && b.kind == Duration || a.kind == Int && b.kind == Int:
		return boolValue(a.num == b.num), nil
	case isNumber(a.kind) && isNumber(b.kind):
		x, y := a.asFloat(), b.asFloat()
		return boolValue(x == y || !math.IsInf(x-y, 0) && math.Abs(x-y) <= 1e-9*max(math.Abs(x), math.Abs(y))), nil
	}
	return no, nil // what is no number any more was not conserved
}

func isKind(k Kind) func(*Frame, *Expr) (Value, *Doubt) {
	return func(f *Frame, e *Expr) (Value, *Doubt) {
		v, d := e.argument(f, 0)
		if v.kind == Missing || v.kind == Unknown {
			return v, nil
		}
		if v.kind == List {
			d = nil
		}
		return boolValue(v.kind == k), d
	}
}
