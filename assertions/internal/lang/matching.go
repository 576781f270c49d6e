package lang

import (
	"slices"
	"strings"
)

// evalSameSpans is == and != of spans and sets: the same members.
func evalSameSpans(f *Frame, e *Expr) Value {
	a, da := e.spans(f, 0)
	b, db := e.spans(f, 1)
	if d := worse(da, db); d != nil {
		return unknown(d)
	}
	if len(a) == 0 || len(b) == 0 {
		return no
	}
	same := slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
	return boolValue(same == (e.Operator == "=="))
}

// evalIn is x in y: a value in a list, a span in a set, a key in a map.
func evalIn(f *Frame, e *Expr) Value {
	x, y := e.Args[0].value(f), e.Args[1].value(f)
	switch {
	case x.kind == Missing || y.kind == Missing:
		return missing // "not in", which is its negation, does not hold either.
	case x.kind == Unknown || y.kind == Unknown:
		return unknown(worse(x.Doubt(), y.Doubt()))
	}
	if s, ok := x.ref.(*spanSet); ok {
		return e.setIn(f, s, y)
	}
	return e.isIn(f, x, y)
}

// setIn is the answer that all spans of a set share; an empty one is in nothing.
func (e *Expr) setIn(f *Frame, s *spanSet, y Value) Value {
	if s.doubt != nil {
		return unknown(s.doubt)
	}
	inside := 0
	for _, n := range s.nodes {
		switch v := e.isIn(f, spanValue(n), y); {
		case v.kind == Unknown:
			return v
		case v.True():
			inside++
		}
	}
	if inside > 0 && inside < len(s.nodes) {
		a, b := e.Args[0].text, e.Args[1].text
		return e.failTry("all("+a+", it in "+b+"), or any("+a+", it in "+b+")", "%d of the %d spans of %s are in %s", inside, len(s.nodes), a, b)
	}
	return boolValue(inside > 0)
}

func (e *Expr) isIn(f *Frame, x, y Value) Value {
	found, fits := false, true
	switch c := y.ref.(type) {
	case *spanSet:
		found, fits = slices.Contains(c.nodes, x.node()), x.kind == Span
		f.step(len(c.nodes))
	case *list:
		found, fits = c.holds(x)
		f.step(len(c.elems) * (1 + len(x.str)/bytesPerStep))
	case mapping:
		found, fits = c.has(x.Str()), x.kind == String
	default:
		return e.fail("nothing can be in %s", e.Args[1].describe(f, y))
	}
	switch d := y.Doubt(); {
	case found && fits:
		return yes
	case d != nil:
		return unknown(d)
	case !fits:
		return e.fail("cannot compare %s with what is in %s", e.Args[0].describe(f, x), e.Args[1].describe(f, y))
	}
	return no
}

// holds says whether x is in a list, and whether it could be: of what the list holds,
// if anything, something compares with it.
func (l *list) holds(x Value) (found, fits bool) {
	empty := true
	for _, v := range l.elems {
		order, ok := compare(v, x)
		if ok && order == 0 {
			return true, true
		}
		fits = fits || ok || v.kind == x.kind
		empty = empty && v.kind == Missing
	}
	return false, fits || empty
}

// text reads both sides as strings; the third result is the answer if they are none.
func (e *Expr) texts(f *Frame) (a, b string, otherwise Value, ok bool) {
	x := e.Args[0].value(f)
	if y := e.Args[1]; x.kind == String && y.Op == OpLiteral && y.lit.kind == String { // the usual case
		f.step((len(x.str) + len(y.lit.str)) / bytesPerStep)
		return x.str, y.lit.str, Value{}, true
	}
	return e.otherTexts(f, x, e.Args[1].value(f))
}

func (e *Expr) otherTexts(f *Frame, x, y Value) (a, b string, otherwise Value, ok bool) {
	switch {
	case x.kind == Missing || y.kind == Missing:
		return "", "", no, false
	case x.kind == Unknown || y.kind == Unknown:
		return "", "", unknown(worse(x.Doubt(), y.Doubt())), false
	case x.kind == List && e.Operator == "contains":
		found, fits := x.ref.(*list).holds(y)
		switch d := x.Doubt(); {
		case found:
			return "", "", yes, false
		case d != nil:
			return "", "", unknown(d), false
		case !fits:
			return "", "", e.fail("cannot compare %s with what is in %s", e.Args[1].describe(f, y), e.Args[0].describe(f, x)), false
		}
		return "", "", no, false
	case x.kind != String:
		return "", "", e.failTry("isString("+e.Args[0].text+") and "+e.text, "%s %s … wants a string, and %s", e.Args[0].text, e.Operator, e.Args[0].found(x)), false
	case y.kind != String:
		return "", "", e.fail("… %s %s wants a string, and %s", e.Operator, e.Args[1].text, e.Args[1].found(y)), false
	}
	f.read(x.str, y.str)
	return x.str, y.str, Value{}, true
}

func evalText(f *Frame, e *Expr) Value {
	a, b, otherwise, ok := e.texts(f)
	if !ok {
		return otherwise
	}
	switch e.Operator {
	case "contains":
		// Every string contains the empty one; a missing one was told apart above.
		return boolValue(strings.Contains(a, b))
	case "startsWith":
		return boolValue(strings.HasPrefix(a, b))
	}
	return boolValue(strings.HasSuffix(a, b))
}

func evalMatches(f *Frame, e *Expr) Value {
	a, _, otherwise, ok := e.texts(f)
	if !ok {
		return otherwise
	}
	return boolValue(e.aux.(*pattern).matches(a))
}

// evalSlice is x[a:b], clipped to what there is.
func evalSlice(f *Frame, e *Expr) Value {
	v, a, b := e.Args[0].value(f), e.Args[1].value(f), e.Args[2].value(f)
	if d := worse(worse(v.Doubt(), a.Doubt()), b.Doubt()); d != nil || v.kind == Missing {
		if d != nil {
			return unknown(d)
		}
		return v
	}
	switch v.kind {
	case Set:
		nodes := f.ByStart(v.Nodes())
		i, j := bounds(len(nodes), a, b)
		return setValue(nodes[i:j], nil)
	case List:
		i, j := bounds(len(v.Elems()), a, b)
		return listValue(v.Elems()[i:j], nil)
	case String:
		r := []rune(v.str)
		i, j := bounds(len(r), a, b)
		return stringValue(string(r[i:j]))
	}
	return e.fail("%s has no parts", e.Args[0].describe(f, v))
}

func bounds(length int, from, to Value) (int, int) {
	clip := func(v Value, otherwise int) int {
		if v.kind != Int {
			return otherwise
		}
		n := int(v.int())
		if n < 0 {
			n += length
		}
		return min(max(n, 0), length)
	}
	i, j := clip(from, 0), clip(to, length)
	return i, max(i, j)
}

// maxRange is how many numbers a..b may make.
const maxRange = 10_000

// rangeOf compiles a..b, a list of whole numbers.
func (c *compiler) rangeOf(e *Expr) *Expr {
	e.Op, e.Type, e.eval = OpArith, listOf(typ(TNumber)), evalRange
	return e
}

func evalRange(f *Frame, e *Expr) Value {
	a, b := e.Args[0].value(f), e.Args[1].value(f)
	switch {
	case a.kind == Unknown || b.kind == Unknown || a.motion != Settled || b.motion != Settled:
		return unknown(worse(a.Doubt(), b.Doubt()))
	case a.kind == Missing || b.kind == Missing:
		return missing
	case a.kind != Int || b.kind != Int || uint64(max(a.int(), b.int())-min(a.int(), b.int())) >= maxRange:
		return e.fail("a range needs two whole numbers no further apart than %d", maxRange)
	}
	var out []Value
	for i := range b.int() - a.int() + 1 {
		f.step(1)
		out = append(out, intValue(a.int()+i))
	}
	return listValue(out, nil)
}
