package lang

import (
	"math"
	"slices"

	"github.com/followspan/followspan/trace"
)

var valueArg = Arg{Name: "v", Kind: AnyArg}

var valueWords = []*Word{
	{Name: "same", Group: "data", Doc: "all are present and equal: one value that flows through", Args: []Arg{valueArg, {Name: "v", Kind: AnyArg, Many: true}}, Result: typ(TBool), Class: Fixed, run: runSame},
	{Name: "conserved", Group: "data", Doc: "equal numbers, exactly for ints, within a billionth for floats", Args: []Arg{valueArg, valueArg}, Result: typ(TBool), Class: Fixed, run: runConserved},
	{Name: "exactlyOnce", Group: "data", Doc: "for each distinct value of the key there is exactly one, and every span has the key", Args: []Arg{spansArg, keyArg}, Result: typ(TBool), run: runExactlyOnce, Edges: true},
	{Name: "atLeastOnce", Group: "data", Doc: "there is a span, and every span has the key", Args: []Arg{spansArg, keyArg}, Result: typ(TBool), run: runAtLeastOnce, Edges: true},
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
		return boolValue(math.Abs(x-y) <= 1e-9*max(math.Abs(x), math.Abs(y))), nil
	}
	return no, nil // what is no number any more was not conserved
}

// Occurrence is a span that counts for a key, by a link if it handled a batch.
type Occurrence struct {
	Node trace.Node
	Key  Value
}

// Occurrences are the spans of argument 0 by key. A span with several links into
// the flow handled a batch and counts once for each of them.
func (e *Expr) Occurrences(f *Frame) ([]Occurrence, *Doubt) {
	nodes, d := e.spans(f, 0)
	var out []Occurrence
	for _, n := range nodes {
		f.step(1)
		linked := f.linkedMembers(n)
		if len(linked) < 2 {
			linked = []trace.Node{n}
		}
		for _, m := range linked {
			k := e.Args[1].of(f, spanValue(m))
			d = worse(d, k.Doubt())
			out = append(out, Occurrence{n, k})
		}
	}
	return out, d
}

// linkedMembers are the members of the flow that a span links to.
func (f *Frame) linkedMembers(n trace.Node) []trace.Node {
	var out []trace.Node
	for m, rule := range f.View.Causes(n) {
		if rule == trace.ByLink && (f.Member == nil || f.Member(m)) {
			out = append(out, m)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func runExactlyOnce(f *Frame, e *Expr) (Value, *Doubt) {
	all, d := e.Occurrences(f)
	seen := map[string]bool{}
	for _, o := range all {
		id := o.Key.identity()
		if o.Key.kind == Missing || seen[id] {
			return no, d
		}
		seen[id] = true
	}
	return boolValue(len(all) > 0), worse(d, f.coming())
}

func runAtLeastOnce(f *Frame, e *Expr) (Value, *Doubt) {
	all, d := e.Occurrences(f)
	missed := slices.ContainsFunc(all, func(o Occurrence) bool { return o.Key.kind == Missing })
	return boolValue(len(all) > 0 && !missed), worse(d, f.coming())
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
