package lang

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
	{Name: "first", Group: "sets", Whole: true, Doc: "the one that started first", Args: []Arg{manyArg}, Property: true, run: runFirst, result: elemType},
	{Name: "last", Group: "sets", Whole: true, Doc: "the one that started last", Args: []Arg{manyArg}, Property: true, run: runLast, result: elemType},
	{Name: "gaps", Group: "sets", Whole: true, Doc: "from the end of each to the start of the next: back-off, scheduling", Args: []Arg{spansArg},
		Result: listOf(typ(TDuration)), Property: true, run: runGaps},
	{Name: "pairs", Group: "sets", Whole: true, Doc: "the neighbours {a, b} by start", Args: []Arg{spansArg}, Result: listOf(typ(TPair)), Property: true, run: runPairs},
	{Name: "any", Group: "closures", Doc: "at least one satisfies P", Args: []Arg{manyArg, closureArg}, Result: typ(TBool), Class: Up, run: runAny},
	{Name: "all", Group: "closures", Doc: "there is at least one span, and each satisfies P", Args: []Arg{manyArg, closureArg}, Result: typ(TBool), Class: Down, run: runAll},
	{Name: "none", Group: "closures", Doc: "not one satisfies P", Args: []Arg{manyArg, closureArg}, Result: typ(TBool), Class: Down, run: runNone},
	{Name: "one", Group: "closures", Doc: "exactly one satisfies P", Args: []Arg{manyArg, closureArg}, Result: typ(TBool), run: runOne},
	{Name: "filter", Group: "closures", Doc: "those that satisfy P; also written where", Args: []Arg{manyArg, closureArg}, Class: Up, run: runFilter, result: sameType},
	{Name: "map", Group: "closures", Doc: "the value of P for each", Args: []Arg{manyArg, closureArg}, Class: Up, run: runMap,
		result: func(e *Expr) Type { return listOf(e.Args[1].Type) }},
	{Name: "groupBy", Group: "closures", Doc: "the spans by the value of a key", Args: []Arg{spansArg, keyArg}, Result: typ(TGroups), Class: Up, run: runGroupBy},
	{Name: "sortBy", Group: "closures", Whole: true, Doc: "the elements by the value of a key", Args: []Arg{manyArg, keyArg}, run: runSortBy,
		result: func(e *Expr) Type { return listOf(e.Args[0].Type.elem()) }},
	{Name: "find", Group: "closures", Whole: true, Doc: "the first that satisfies P", Args: []Arg{manyArg, closureArg}, run: runFind, result: elemType},
	{Name: "findLast", Group: "closures", Whole: true, Doc: "the last that satisfies P", Args: []Arg{manyArg, closureArg}, run: runFindLast, result: elemType},
	{Name: "distinct", Group: "closures", Doc: "the distinct present values of a key", Args: []Arg{manyArg, optional(keyArg)}, Class: Up, run: runDistinct, result: distinctType},
	{Name: "values", Group: "closures", Doc: "the groups of groupBy, or the values of a map such as attrs, without their keys", Args: []Arg{{Name: "g", Kind: KeyedArg}}, Class: Up, run: runValues, result: valuesType},
	{Name: "keys", Group: "closures", Doc: "the keys of the groups, or of a map in their order", Args: []Arg{{Name: "g", Kind: KeyedArg}}, Class: Up, run: runKeys, result: keysType},
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
	case mapping:
		f.step(v.size())
		return len(sorted(x)), nil
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
		out = append(out, f.between(nodes[i-1], nodes[i]))
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
