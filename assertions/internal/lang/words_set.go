package lang

import (
	"slices"
	"strconv"

	"github.com/followspan/followspan/trace"
)

var (
	spansArg   = Arg{Name: "x", Kind: SpansArg}
	manyArg    = Arg{Name: "x", Kind: ManyArg}
	closureArg = Arg{Name: "P", Kind: ClosureArg}
	keyArg     = Arg{Name: ".key", Kind: ClosureArg}
)

func optional(a Arg) Arg {
	a.Optional = true
	return a
}

var setWords = []*Word{
	{Name: "count", Group: "sets", Doc: "how many there are, or how many satisfy P", Args: []Arg{manyArg, optional(closureArg)},
		Result: typ(TNumber), Class: Up, Property: true, run: runCount},
	{Name: "exists", Group: "sets", Doc: "there is at least one", Args: []Arg{manyArg}, Result: typ(TBool), Class: Up, Property: true,
		run: func(f *Frame, e *Expr) (Value, *Doubt) { n, d := e.size(f); return boolValue(n > 0), d }},
	{Name: "empty", Group: "sets", Doc: "there is none", Args: []Arg{manyArg}, Result: typ(TBool), Class: Down, Property: true,
		run: func(f *Frame, e *Expr) (Value, *Doubt) { n, d := e.size(f); return boolValue(n == 0), d }},
	{Name: "first", Group: "sets", Doc: "the one that started first", Args: []Arg{manyArg}, Property: true, run: runFirst, result: elemType},
	{Name: "last", Group: "sets", Doc: "the one that started last", Args: []Arg{manyArg}, Property: true, run: runLast, result: elemType},
	{Name: "gaps", Group: "sets", Doc: "from the end of each to the start of the next: back-off, scheduling", Args: []Arg{spansArg},
		Result: listOf(typ(TDuration)), Property: true, run: runGaps},
	{Name: "pairs", Group: "sets", Doc: "the neighbours {a, b} by start", Args: []Arg{spansArg}, Result: listOf(typ(TPair)), Property: true, run: runPairs},
	{Name: "any", Group: "closures", Doc: "at least one satisfies P", Args: []Arg{manyArg, closureArg}, Result: typ(TBool), Class: Up, run: runAny},
	{Name: "all", Group: "closures", Doc: "there is at least one span, and each satisfies P", Args: []Arg{manyArg, closureArg}, Result: typ(TBool), Class: Down, run: runAll},
	{Name: "none", Group: "closures", Doc: "not one satisfies P", Args: []Arg{manyArg, closureArg}, Result: typ(TBool), Class: Down, run: runNone},
	{Name: "one", Group: "closures", Doc: "exactly one satisfies P", Args: []Arg{manyArg, closureArg}, Result: typ(TBool), run: runOne},
	{Name: "filter", Group: "closures", Doc: "those that satisfy P; also written where", Args: []Arg{manyArg, closureArg}, Class: Up, run: runFilter, result: sameType},
	{Name: "map", Group: "closures", Doc: "the value of P for each", Args: []Arg{manyArg, closureArg}, Class: Up, run: runMap,
		result: func(e *Expr) Type { return listOf(e.Args[1].Type) }},
	{Name: "groupBy", Group: "closures", Doc: "the spans by the value of a key", Args: []Arg{spansArg, keyArg}, Result: typ(TGroups), Class: Up, run: runGroupBy},
	{Name: "sortBy", Group: "closures", Doc: "the elements by the value of a key", Args: []Arg{manyArg, keyArg}, run: runSortBy,
		result: func(e *Expr) Type { return listOf(e.Args[0].Type.elem()) }},
	{Name: "find", Group: "closures", Doc: "the first that satisfies P", Args: []Arg{manyArg, closureArg}, run: runFind, result: elemType},
	{Name: "findLast", Group: "closures", Doc: "the last that satisfies P", Args: []Arg{manyArg, closureArg}, run: runFindLast, result: elemType},
	{Name: "distinct", Group: "closures", Doc: "the distinct present values of a key", Args: []Arg{manyArg, optional(keyArg)}, Class: Up, run: runDistinct, result: distinctType},
	{Name: "values", Group: "closures", Doc: "the groups, without their keys", Args: []Arg{{Name: "g", Kind: AnyArg}}, Result: listOf(typ(TSet)), Class: Up, run: runValues},
	{Name: "keys", Group: "closures", Doc: "the keys of the groups", Args: []Arg{{Name: "g", Kind: AnyArg}}, Result: listOf(typ(TAny)), Class: Up, run: runKeys},
}

func elemType(e *Expr) Type {
	if e.Args[0].Type.isSpans() {
		return typ(TSpan)
	}
	return e.Args[0].Type.elem()
}

func sameType(e *Expr) Type {
	switch t := e.Args[0].Type; t.Base {
	case TSpan:
		return typ(TSet)
	case TGroups:
		return listOf(typ(TSet))
	default:
		return t
	}
}

func distinctType(e *Expr) Type {
	if len(e.Args) > 1 {
		return listOf(e.Args[1].Type)
	}
	return listOf(e.Args[0].Type.elem())
}

// size is how many elements are certain.
func (e *Expr) size(f *Frame) (int, *Doubt) {
	v := e.Args[0].value(f)
	switch x := v.ref.(type) {
	case *spanSet:
		return len(x.nodes), x.doubt
	case *list:
		return len(x.elems), x.doubt
	case *groups:
		return len(x.keys), x.doubt
	}
	switch v.kind {
	case Span:
		return 1, nil
	case Missing:
		return 0, nil
	case Unknown:
		return 0, v.Doubt()
	}
	return 0, e.failure("", "%s is neither a set nor a list", e.Args[0].describe(f, v))
}

// tally is what a closure says of the elements so far.
type tally struct {
	yes, no int
	doubt   *Doubt // some element is undecided, or there may be more
}

// tally asks the closure about each element, and stops when enough says so.
func (e *Expr) tally(f *Frame, enough func(*tally) bool) tally {
	if t := e.cached(f); t != nil {
		return *t
	}
	var t tally
	d := e.Args[0].each(f, func(elem Value) bool {
		v := e.Args[1].holds(f, elem)
		switch {
		case v.True():
			t.yes++
		case v.False():
			t.no++
		default:
			t.doubt = worse(t.doubt, v.Doubt())
		}
		return !enough(&t)
	})
	t.doubt = worse(t.doubt, d)
	return t
}

func never(*tally) bool { return false }

func runCount(f *Frame, e *Expr) (Value, *Doubt) {
	if len(e.Args) == 1 {
		n, d := e.size(f)
		return intValue(int64(n)), d
	}
	t := e.tally(f, never)
	return intValue(int64(t.yes)), t.doubt
}

func runAny(f *Frame, e *Expr) (Value, *Doubt) {
	t := e.tally(f, func(t *tally) bool { return t.yes > 0 })
	return boolValue(t.yes > 0), t.doubt
}

func runNone(f *Frame, e *Expr) (Value, *Doubt) {
	t := e.tally(f, func(t *tally) bool { return t.yes > 0 })
	return boolValue(t.yes == 0), t.doubt
}

// runAll is false over no span at all: all() over nothing proves nothing.
func runAll(f *Frame, e *Expr) (Value, *Doubt) {
	t := e.tally(f, func(t *tally) bool { return t.no > 0 })
	switch {
	case t.no > 0:
		return no, nil
	case t.yes > 0:
		return yes, t.doubt
	case t.doubt != nil:
		return unknown(t.doubt), nil
	}
	return boolValue(!e.Args[0].overSpans()), nil
}

// overSpans reports whether the elements are spans or sets of spans.
func (e *Expr) overSpans() bool {
	if e.Type.isSpans() || e.Type.Base == TGroups {
		return true
	}
	b := e.Type.elem().Base
	return e.Type.Base == TList && (b == TSet || b == TSpan)
}

// runOne cannot become true again once two are certain.
func runOne(f *Frame, e *Expr) (Value, *Doubt) {
	t := e.tally(f, func(t *tally) bool { return t.yes > 1 })
	if t.yes > 1 {
		return no, nil
	}
	return boolValue(t.yes == 1), t.doubt
}

func runFilter(f *Frame, e *Expr) (Value, *Doubt) {
	var elems []Value
	var nodes []trace.Node
	var doubt *Doubt
	d := e.Args[0].each(f, func(elem Value) bool {
		v := e.Args[1].holds(f, elem)
		switch {
		case v.kind == Unknown:
			doubt = worse(doubt, v.Doubt())
		case v.True() && elem.kind == Span:
			nodes = append(nodes, elem.node())
		case v.True():
			elems = append(elems, elem)
		}
		return true
	})
	if e.Type.isSpans() || e.Type.Base == TAny && elems == nil {
		return setValue(nodes, nil), worse(doubt, d)
	}
	for _, n := range nodes {
		elems = append(elems, spanValue(n))
	}
	return listValue(elems, nil), worse(doubt, d)
}

func runMap(f *Frame, e *Expr) (Value, *Doubt) {
	var out []Value
	var doubt *Doubt
	d := e.Args[0].each(f, func(elem Value) bool {
		v := e.Args[1].of(f, elem)
		if v.kind == Unknown {
			doubt = worse(doubt, v.Doubt())
		} else {
			doubt = worse(doubt, v.Doubt())
			out = append(out, v)
		}
		return true
	})
	return listValue(out, nil), worse(doubt, d)
}

// runGroupBy gives the spans without the key a group of their own.
func runGroupBy(f *Frame, e *Expr) (Value, *Doubt) {
	g := &groups{}
	var doubt *Doubt
	index := map[string]int{}
	nodes, d := e.spans(f, 0)
	for _, n := range nodes {
		f.step(1)
		k := e.Args[1].of(f, spanValue(n))
		if k.Doubt() != nil {
			doubt = worse(doubt, k.Doubt())
			continue
		}
		f.step(k.size())
		id := k.identity()
		i, ok := index[id]
		if !ok {
			i = len(g.keys)
			index[id] = i
			g.keys, g.sets = append(g.keys, k), append(g.sets, nil)
		}
		g.sets[i] = append(g.sets[i], n)
	}
	return Value{kind: Groups, ref: g}, worse(doubt, d)
}

// identity is a text that two values share exactly if they are equal.
func (v Value) identity() string {
	if v.kind == Float && v.float() == float64(int64(v.float())) {
		v = intValue(int64(v.float()))
	}
	return v.kind.String() + " " + identify(v)
}

func identify(v Value) string {
	switch v.kind {
	case String, Bytes:
		return v.str
	case Span:
		return strconv.FormatInt(int64(v.node()), 10)
	case Bool, Int, Float, Duration, Time:
		return strconv.FormatInt(int64(v.num), 10)
	case List:
		text := ""
		for _, elem := range v.Elems() {
			text += strconv.Itoa(len(elem.identity())) + ":" + elem.identity()
		}
		return text
	}
	return format(v)
}

func runSortBy(f *Frame, e *Expr) (Value, *Doubt) {
	type keyed struct{ key, elem Value }
	var all []keyed
	var doubt *Doubt
	d := e.Args[0].each(f, func(elem Value) bool {
		k := e.Args[1].of(f, elem)
		doubt = worse(doubt, k.Doubt())
		all = append(all, keyed{k, elem})
		return true
	})
	slices.SortStableFunc(all, func(a, b keyed) int {
		if c, ok := compare(a.key, b.key); ok && c != unordered {
			return c
		}
		return int(a.key.kind) - int(b.key.kind)
	})
	out := make([]Value, len(all))
	for i := range all {
		out[i] = all[i].elem
	}
	return listValue(out, nil), worse(doubt, d)
}

func runFind(f *Frame, e *Expr) (Value, *Doubt)     { return e.find(f, false) }
func runFindLast(f *Frame, e *Expr) (Value, *Doubt) { return e.find(f, true) }

func (e *Expr) find(f *Frame, last bool) (Value, *Doubt) {
	elems, d := e.ordered(f)
	if last {
		slices.Reverse(elems)
	}
	for _, elem := range elems {
		f.step(1)
		v := e.Args[1].holds(f, elem)
		if v.kind == Unknown {
			return unknown(worse(v.Doubt(), d)), nil
		}
		if v.True() {
			return elem, d
		}
	}
	return missing, d
}

// ordered is argument 0 as a list of its own: spans by start, others as they stand.
func (e *Expr) ordered(f *Frame) ([]Value, *Doubt) {
	var out []Value
	if e.Args[0].Type.isSpans() {
		nodes, d := e.spans(f, 0)
		for _, n := range f.ByStart(nodes) {
			out = append(out, spanValue(n))
		}
		return out, d
	}
	d := e.Args[0].each(f, func(elem Value) bool {
		out = append(out, elem)
		return true
	})
	return out, d
}

func runFirst(f *Frame, e *Expr) (Value, *Doubt) {
	elems, d := e.ordered(f)
	if len(elems) == 0 {
		return missing, d
	}
	return elems[0], d
}

func runLast(f *Frame, e *Expr) (Value, *Doubt) {
	elems, d := e.ordered(f)
	if len(elems) == 0 {
		return missing, d
	}
	return elems[len(elems)-1], d
}

func runGaps(f *Frame, e *Expr) (Value, *Doubt) {
	nodes, d := e.spans(f, 0)
	nodes = f.ByStart(nodes)
	var out []Value
	for i := 1; i < len(nodes); i++ {
		out = append(out, durationValue(f.span(nodes[i]).Start().Sub(f.span(nodes[i-1]).End())))
	}
	return listValue(out, nil), d
}

func runPairs(f *Frame, e *Expr) (Value, *Doubt) {
	nodes, d := e.spans(f, 0)
	nodes = f.ByStart(nodes)
	var out []Value
	for i := 1; i < len(nodes); i++ {
		out = append(out, Value{kind: Pair, ref: pair{nodes[i-1], nodes[i]}})
	}
	return listValue(out, nil), d
}

func runDistinct(f *Frame, e *Expr) (Value, *Doubt) {
	var out []Value
	var doubt *Doubt
	seen := map[string]bool{}
	d := e.Args[0].each(f, func(v Value) bool {
		if len(e.Args) > 1 {
			v = e.Args[1].of(f, v)
		}
		doubt = worse(doubt, v.Doubt())
		f.step(v.size())
		if id := v.identity(); v.kind != Missing && v.kind != Unknown && !seen[id] {
			seen[id] = true
			out = append(out, v)
		}
		return true
	})
	return listValue(out, nil), worse(doubt, d)
}

func runValues(f *Frame, e *Expr) (Value, *Doubt) {
	v := e.Args[0].value(f)
	g, ok := v.ref.(*groups)
	if !ok {
		return notGroups(f, e, v), nil
	}
	out := make([]Value, len(g.sets))
	for i, s := range g.sets {
		out[i] = setValue(s, g.doubt)
	}
	return listValue(out, nil), g.doubt
}

func runKeys(f *Frame, e *Expr) (Value, *Doubt) {
	v := e.Args[0].value(f)
	g, ok := v.ref.(*groups)
	if !ok {
		return notGroups(f, e, v), nil
	}
	return listValue(g.keys, nil), g.doubt
}

func notGroups(f *Frame, e *Expr, v Value) Value {
	if v.kind == Missing || v.kind == Unknown {
		return v
	}
	return e.fail("%s wants the groups of groupBy, and %s", e.Word.Name, e.Args[0].describe(f, v))
}
