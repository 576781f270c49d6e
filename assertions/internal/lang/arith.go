package lang

import (
	"math"
	"math/bits"
	"time"
)

// maxText is the longest string that + may make.
const maxText = 64 << 10

// arithmetic finds the type of + - * / % **, and refuses what has none.
func (c *compiler) arithmetic(e *Expr) *Expr {
	l, r := e.Args[0].Type.Base, e.Args[1].Type.Base
	e.Op, e.eval = OpArith, evalArith
	if e.Operator == "^" {
		e.Operator = "**"
	}
	t, ok := arithType(e.Operator, l, r)
	if !ok {
		c.add(e.From, e.To, "cannot compute this", "%s %s %s has no meaning", e.Args[0].Type, e.Operator, e.Args[1].Type)
	}
	e.Type = typ(t)
	return e
}

func arithType(op string, l, r Base) (Base, bool) {
	if l == TAny || r == TAny {
		return arithWithAny(op, l, r)
	}
	switch {
	case l == TNumber && r == TNumber:
		return TNumber, true
	case l == TString && r == TString:
		return TString, op == "+"
	case l == TDuration && r == TDuration:
		if op == "/" {
			return TNumber, true
		}
		return TDuration, op == "+" || op == "-" || op == "%"
	case l == TTime && r == TDuration:
		return TTime, op == "+" || op == "-"
	case l == TDuration && r == TTime:
		return TTime, op == "+"
	case l == TTime && r == TTime:
		return TDuration, op == "-"
	case l == TDuration && r == TNumber:
		return TDuration, op == "*" || op == "/"
	case l == TNumber && r == TDuration:
		return TDuration, op == "*"
	}
	return TAny, false
}

func arithWithAny(op string, l, r Base) (Base, bool) {
	other := l
	if l == TAny {
		other = r
	}
	switch other {
	case TAny, TNumber, TDuration, TTime:
		return TAny, true
	case TString:
		return TString, op == "+"
	}
	return TAny, false
}

// evalArith computes; what is missing makes the result missing.
func evalArith(f *Frame, e *Expr) Value {
	a, b := e.Args[0].value(f), e.Args[1].value(f)
	switch {
	case a.kind == Unknown || b.kind == Unknown:
		return unknown(worse(a.Doubt(), b.Doubt()))
	case a.kind == Missing || b.kind == Missing:
		return missing
	}
	f.read(a.str, b.str)
	v, ok := compute(e.Operator, a, b)
	if !ok {
		return e.fail("cannot compute %s %s %s", e.Args[0].describe(f, a), e.Operator, e.Args[1].describe(f, b))
	}
	return moving(e.Operator, v, a, b)
}

// moving gives a computed number the motion of its operands.
func moving(op string, v, a, b Value) Value {
	var m Motion
	switch op {
	case "+":
		m = a.motion.together(b.motion)
	case "-":
		m = a.motion.together(b.motion.reversed())
	default:
		if a.motion != Settled || b.motion != Settled {
			m = Unsteady
		}
	}
	if m == Settled {
		return v
	}
	d := worse(a.Doubt(), b.Doubt())
	if m == Unsteady {
		return unknown(d)
	}
	v.motion, v.ref = m, d
	return v
}

func compute(op string, a, b Value) (Value, bool) {
	switch {
	case a.kind == Int && b.kind == Int:
		return computeInts(op, a.int(), b.int())
	case isNumber(a.kind) && isNumber(b.kind):
		return computeFloats(op, a.asFloat(), b.asFloat())
	case a.kind == String && b.kind == String && op == "+":
		if len(a.str)+len(b.str) > maxText {
			return missing, false
		}
		return stringValue(a.str + b.str), true
	case a.kind == Time && b.kind == Time && op == "-":
		return durationValue(a.time().Sub(b.time())), true
	case a.kind == Time && b.kind == Duration && op == "+":
		return timeValue(a.time().Add(b.duration())), true
	case a.kind == Time && b.kind == Duration && op == "-":
		return timeValue(a.time().Add(-b.duration())), true
	case a.kind == Duration && b.kind == Time && op == "+":
		return timeValue(b.time().Add(a.duration())), true
	case a.kind == Duration || b.kind == Duration:
		return computeDurations(op, a, b)
	}
	return missing, false
}

func (v Value) asFloat() float64 {
	switch v.kind {
	case Int:
		return float64(v.int())
	case Float:
		return v.float()
	case Duration:
		return float64(v.duration())
	}
	return math.NaN()
}

// computeInts is exact; what does not fit an int becomes a float.
func computeInts(op string, a, b int64) (Value, bool) {
	switch op {
	case "+":
		if c := a + b; (c > a) == (b > 0) {
			return intValue(c), true
		}
	case "-":
		if c := a - b; (c < a) == (b > 0) {
			return intValue(c), true
		}
	case "*":
		hi, lo := bits.Mul64(uint64(max(a, -a)), uint64(max(b, -b)))
		if hi == 0 && lo <= math.MaxInt64 {
			return intValue(a * b), true
		}
	case "%":
		if b == 0 {
			return missing, false
		}
		return intValue(a % b), true
	}
	return computeFloats(op, float64(a), float64(b))
}

func computeFloats(op string, a, b float64) (Value, bool) {
	switch op {
	case "+":
		return floatValue(a + b), true
	case "-":
		return floatValue(a - b), true
	case "*":
		return floatValue(a * b), true
	case "/":
		return floatValue(a / b), b != 0
	case "%":
		return floatValue(math.Mod(a, b)), b != 0
	case "**":
		return floatValue(math.Pow(a, b)), true
	}
	return missing, false
}

func computeDurations(op string, a, b Value) (Value, bool) {
	switch {
	case a.kind == Duration && b.kind == Duration:
		x, y := a.duration(), b.duration()
		switch op {
		case "+":
			return durationValue(x + y), true
		case "-":
			return durationValue(x - y), true
		case "/":
			return floatValue(float64(x) / float64(y)), y != 0
		case "%":
			if y != 0 {
				return durationValue(x % y), true
			}
		}
	case op == "*" && isNumber(b.kind):
		return scaled(a.duration(), b.asFloat())
	case op == "*" && isNumber(a.kind):
		return scaled(b.duration(), a.asFloat())
	case op == "/" && a.kind == Duration && isNumber(b.kind) && b.asFloat() != 0:
		return scaled(a.duration(), 1/b.asFloat())
	}
	return missing, false
}

// scaled is a multiple of a duration; what is too long for one cannot be computed.
func scaled(d time.Duration, by float64) (Value, bool) {
	x := math.Round(float64(d) * by)
	if !(math.Abs(x) < 1<<63) { // NaN is not, either
		return missing, false
	}
	return durationValue(time.Duration(x)), true
}

func negated(v Value) Value {
	switch {
	case v.kind == Float:
		return floatValue(-v.float())
	case v.kind == Int && v.int() == math.MinInt64:
		return floatValue(1 << 63)
	}
	v.num = uint64(-v.int())
	return v
}

// evalSign is a leading + or -.
func evalSign(f *Frame, e *Expr) Value {
	v := e.Args[0].value(f)
	switch {
	case v.kind == Missing || v.kind == Unknown:
		return v
	case !isNumber(v.kind) && v.kind != Duration:
		return e.fail("%s is no number", e.Args[0].describe(f, v))
	case e.Operator == "-":
		v = negated(v)
		v.motion = v.motion.reversed()
	}
	return v
}
