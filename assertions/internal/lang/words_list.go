package lang

import (
	"math"
	"strconv"
	"strings"
)

var numberArg = Arg{Name: "n", Kind: AnyArg}

var listWords = []*Word{
	{Name: "len", Group: "lists", Doc: "how many elements, or characters", Args: []Arg{{Name: "x", Kind: AnyArg}}, Result: typ(TNumber), Class: Up, run: runLen},
	{Name: "sum", Group: "lists", Whole: true, Doc: "the sum of numbers or durations, of P if given", Args: []Arg{manyArg, optional(closureArg)}, run: fold("sum"), result: foldType},
	{Name: "min", Group: "lists", Doc: "the least of numbers, durations or times, of P if given", Args: []Arg{manyArg, optional(closureArg)}, Class: Down, run: fold("min"), result: foldType},
	{Name: "max", Group: "lists", Doc: "the greatest of numbers, durations or times, of P if given", Args: []Arg{manyArg, optional(closureArg)}, Class: Up, run: fold("max"), result: foldType},
	{Name: "mean", Group: "lists", Whole: true, Doc: "the average of numbers or durations, of P if given", Args: []Arg{manyArg, optional(closureArg)}, run: fold("mean"), result: foldType},
	{Name: "abs", Group: "numbers", Doc: "without its sign", Args: []Arg{numberArg}, Class: Fixed, run: numeric(abs), result: firstType},
	{Name: "round", Group: "numbers", Doc: "to the nearest whole number", Args: []Arg{numberArg}, Result: typ(TNumber), Class: Fixed, run: numeric(rounded(math.Round))},
	{Name: "floor", Group: "numbers", Doc: "down to a whole number", Args: []Arg{numberArg}, Result: typ(TNumber), Class: Fixed, run: numeric(rounded(math.Floor))},
	{Name: "ceil", Group: "numbers", Doc: "up to a whole number", Args: []Arg{numberArg}, Result: typ(TNumber), Class: Fixed, run: numeric(rounded(math.Ceil))},
	{Name: "int", Group: "numbers", Doc: "a whole number from a number or a string; missing if it is none", Args: []Arg{valueArg}, Result: typ(TNumber), Class: Fixed, run: numeric(toInt)},
	{Name: "float", Group: "numbers", Doc: "a number from a number or a string; missing if it is none", Args: []Arg{valueArg}, Result: typ(TNumber), Class: Fixed, run: numeric(toFloat)},
}

func firstType(e *Expr) Type { return e.Args[0].Type }

func foldType(e *Expr) Type {
	if len(e.Args) > 1 {
		return e.Args[1].Type
	}
	return e.Args[0].Type.elem()
}

func runLen(f *Frame, e *Expr) (Value, *Doubt) {
	v := e.Args[0].value(f)
	switch v.kind {
	case Missing, Unknown:
		return v, nil
	case String:
		return intValue(int64(len([]rune(v.str)))), nil
	}
	n, d := e.size(f)
	return intValue(int64(n)), d
}

// fold computes one value of many; of none it is missing. What it cannot take is a
// doubt, as what may still come is: some greater one is greater all the same.
func fold(how string) func(*Frame, *Expr) (Value, *Doubt) {
	return func(f *Frame, e *Expr) (Value, *Doubt) {
		var total Value
		var wrong *Doubt
		n := 0
		d := e.Args[0].each(f, func(v Value) bool {
			if len(e.Args) > 1 {
				v = e.Args[1].of(f, v)
			}
			if v.Doubt() != nil {
				wrong = worse(wrong, v.Doubt())
				return true
			}
			if v.kind == Missing {
				return true
			}
			next, ok := combine(how, total, v)
			if !ok {
				wrong = worse(wrong, e.failure("", "%s cannot take %s", how, describe(v)))
				return true
			}
			n++
			total = next
			return true
		})
		if how == "mean" && n > 0 {
			total, _ = compute("/", total, intValue(int64(n)))
		}
		return total, worse(wrong, d)
	}
}

func combine(how string, total, v Value) (Value, bool) {
	extreme := how == "min" || how == "max"
	if v.kind == Bool || v.kind == Span || extreme && v.kind == Float && math.IsNaN(v.float()) {
		return total, false
	}
	if total.kind == Missing {
		return v, isNumber(v.kind) || v.kind == Duration || v.kind == Time && how != "sum" && how != "mean"
	}
	if extreme {
		order, ok := compare(v, total)
		if order == -1 && how == "min" || order == 1 && how == "max" {
			total = v
		}
		return total, ok
	}
	return compute("+", total, v)
}

// numeric is a function of one value; missing stays missing.
func numeric(compute func(Value) Value) func(*Frame, *Expr) (Value, *Doubt) {
	return func(f *Frame, e *Expr) (Value, *Doubt) {
		v, d := e.argument(f, 0)
		switch {
		case v.kind == Missing || v.kind == Unknown:
			return v, nil
		case d != nil:
			return unknown(d), nil
		}
		f.step(v.size())
		return compute(v), nil
	}
}

func abs(v Value) Value {
	if (v.kind == Int || v.kind == Duration) && v.int() < 0 || v.kind == Float && v.float() < 0 {
		return negated(v)
	}
	return v
}

func rounded(how func(float64) float64) func(Value) Value {
	return func(v Value) Value {
		if v.kind == Float {
			return toInt(floatValue(how(v.float())))
		}
		return v
	}
}

func toInt(v Value) Value {
	switch v.kind {
	case Int:
		return v
	case Float:
		if x := v.float(); x >= -1<<63 && x < 1<<63 {
			return intValue(int64(x))
		}
	case String:
		if i, err := strconv.ParseInt(strings.TrimSpace(v.str), 10, 64); err == nil {
			return intValue(i)
		}
	}
	return missing
}

func toFloat(v Value) Value {
	switch v.kind {
	case Int, Float:
		return floatValue(v.asFloat())
	case String:
		if x, err := strconv.ParseFloat(strings.TrimSpace(v.str), 64); err == nil {
			return floatValue(x)
		}
	}
	return missing
}
