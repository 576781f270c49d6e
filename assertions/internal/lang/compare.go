package lang

import (
	"cmp"
	"math"
	"strings"
)

// evalCompare compares in three values. What is missing compares with nothing,
// != included; types that cannot be compared are an error that names both.
func evalCompare(f *Frame, e *Expr) Value {
	return e.compared(f, e.Args[0].value(f), e.Args[1].value(f))
}

// evalCompareLiteral is evalCompare with a constant on the right: most comparisons
// are of a text with another, or of two whole numbers or durations.
func evalCompareLiteral(f *Frame, e *Expr) Value {
	a, b := e.Args[0].value(f), &e.Args[1].lit
	switch {
	case a.kind != b.kind || a.motion != Settled:
	case a.kind == String && (e.Operator == "==" || e.Operator == "!="):
		f.step(len(a.str) / bytesPerStep)
		return boolValue((a.str == b.str) == (e.Operator == "=="))
	case a.kind == Int || a.kind == Duration:
		return boolValue(e.orders(cmp.Compare(a.int(), b.int())))
	}
	return e.compared(f, a, *b)
}

// compared compares two values.
func (e *Expr) compared(f *Frame, a, b Value) Value {
	if a.kind == Missing || b.kind == Missing {
		return no // whatever the other is, or becomes
	}
	if a.kind == Unknown || b.kind == Unknown {
		return unknown(worse(a.Doubt(), b.Doubt()))
	}
	if d := worse(a.growing(), b.growing()); d != nil {
		return unknown(d)
	}
	f.step(a.size() + b.size())
	order, ok := compare(a, b)
	if !ok {
		return e.mismatch(f, a, b)
	}
	return e.settled(order, a, b)
}

// evalPresence is x == nil and x != nil.
func evalPresence(f *Frame, e *Expr) Value {
	v := e.Args[0].value(f)
	if v.kind == Unknown {
		return v
	}
	absent := v.kind == Missing
	if s, ok := v.ref.(*spanSet); ok && len(s.nodes) == 0 {
		if s.doubt != nil {
			return unknown(s.doubt)
		}
		absent = true
	}
	return boolValue(absent == (e.Operator == "=="))
}

// unordered is the order of values that are different and no more.
const unordered = 2

// settled turns an order into the truth of the comparison, unless the motion of
// a or b could still change it.
func (e *Expr) settled(order int, a, b Value) Value {
	holds := e.orders(order)
	if a.motion == Settled && b.motion == Settled || e.stays(order, holds, a.motion.together(b.motion.reversed())) {
		return boolValue(holds)
	}
	return unknown(worse(a.Doubt(), b.Doubt()))
}

// orders reports whether two values in this order satisfy the comparison.
func (e *Expr) orders(order int) bool {
	switch e.Operator {
	case "==":
		return order == 0
	case "!=":
		return order != 0
	case "<":
		return order == -1
	case "<=":
		return order == -1 || order == 0
	case ">":
		return order == 1
	}
	return order == 1 || order == 0
}

// stays reports whether the truth of a comparison survives when the difference
// of its sides moves on.
func (e *Expr) stays(order int, holds bool, difference Motion) bool {
	switch difference {
	case Rising:
		switch e.Operator {
		case "==", "!=":
			return order == 1
		case ">", ">=":
			return holds
		case "<", "<=":
			return !holds
		}
	case Falling:
		switch e.Operator {
		case "==", "!=":
			return order == -1
		case ">", ">=":
			return !holds
		case "<", "<=":
			return holds
		}
	}
	return false
}

// compare orders two present values: -1, 0, 1 or unordered. It is false for
// types that cannot be compared.
func compare(a, b Value) (int, bool) {
	switch {
	case a.kind == Int && b.kind == Int:
		return cmp.Compare(a.int(), b.int()), true
	case a.kind == Float && b.kind == Float:
		return compareFloats(a.float(), b.float()), true
	case a.kind == Int && b.kind == Float:
		return compareMixed(a.int(), b.float()), true
	case a.kind == Float && b.kind == Int:
		return flip(compareMixed(b.int(), a.float())), true
	case a.kind != b.kind:
		return 0, false
	}
	switch a.kind {
	case Bool:
		return differ(a.num == b.num), true
	case String, Bytes:
		return strings.Compare(a.str, b.str), true
	case Duration:
		return cmp.Compare(a.duration(), b.duration()), true
	case Time:
		return cmp.Compare(a.time(), b.time()), true
	case Span:
		return differ(a.node() == b.node()), true
	case List:
		return compareLists(a.ref.(*list), b.ref.(*list))
	case Map:
		return differ(a.identity() == b.identity()), true
	case Event, Link, Pair:
		return differ(a.ref == b.ref), true
	}
	return 0, false
}

func differ(same bool) int {
	if same {
		return 0
	}
	return unordered
}

func flip(order int) int {
	if order == unordered {
		return order
	}
	return -order
}

func compareFloats(a, b float64) int {
	if math.IsNaN(a) || math.IsNaN(b) {
		return unordered
	}
	return cmp.Compare(a, b)
}

// compareMixed compares by value: a float64 holds no int beyond 2^53 exactly, so
// the float becomes an int, not the other way round.
func compareMixed(i int64, f float64) int {
	switch {
	case math.IsNaN(f):
		return unordered
	case f >= 1<<63:
		return -1
	case f < -1<<63:
		return 1
	}
	whole, fraction := math.Modf(f)
	if c := cmp.Compare(i, int64(whole)); c != 0 {
		return c
	}
	return cmp.Compare(0, fraction)
}

func compareLists(a, b *list) (int, bool) {
	if len(a.elems) != len(b.elems) {
		return unordered, true
	}
	for i := range a.elems {
		if c, ok := compare(a.elems[i], b.elems[i]); !ok || c != 0 {
			return unordered, ok
		}
	}
	return 0, true
}

// size is how many steps it takes to look at all of a value.
func (v Value) size() int {
	switch v.kind {
	default:
		return len(v.str) / bytesPerStep
	case Map:
		return sizeOf(v.ref.(mapping))
	case List:
	}
	total := 0
	for _, e := range v.Elems() {
		total += 1 + e.size()
	}
	return total
}

// equal reports whether both are present and the same by value; an int equals the
// float of the same value.
func equal(a, b Value) bool {
	order, ok := compare(a, b)
	return ok && order == 0
}

// mismatch is the error of a comparison between types that do not compare.
func (e *Expr) mismatch(f *Frame, a, b Value) Value {
	try := ""
	switch {
	case a.kind == Duration || b.kind == Duration:
		try = "a duration is written as 500ms or 1.5s; a number of milliseconds is multiplied: attrs.x * 1ms"
	case a.kind == String && isNumber(b.kind):
		try = "float(" + e.Args[0].text + ") reads the string as a number"
	case b.kind == String && isNumber(a.kind):
		try = "float(" + e.Args[1].text + ") reads the string as a number"
	}
	return e.failTry(try, "cannot compare %s with %s", e.Args[0].describe(f, a), e.Args[1].describe(f, b))
}

func isNumber(k Kind) bool { return k == Int || k == Float }
