package lang

import "fmt"

// runGroupBy gives the spans without the key a group of their own.
func runGroupBy(f *Frame, e *Expr) (Value, *Doubt) {
	g := &groups{}
	var doubt *Doubt
	index := map[identity]int{}
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

// identity is what two values share exactly if they are equal.
type identity struct {
	kind Kind
	num  uint64
	text string
}

func (v Value) identity() identity {
	if v.kind == Float && v.float() == float64(int64(v.float())) {
		v = intValue(int64(v.float()))
	}
	switch v.kind {
	case String, Bytes:
		return identity{kind: v.kind, text: v.str}
	case Span, Bool, Int, Float, Duration, Time:
		return identity{kind: v.kind, num: v.num}
	case List:
		text := ""
		for _, elem := range v.Elems() {
			text += elem.identity().String()
		}
		return identity{kind: List, text: text}
	case Map:
		text := ""
		for _, e := range sorted(v.ref.(mapping)) {
			text += stringValue(e.key).identity().String() + e.value.identity().String()
		}
		return identity{kind: Map, text: text}
	}
	return identity{kind: v.kind, text: format(v)}
}

// String is the identity of an element within that of what holds it.
func (id identity) String() string {
	return fmt.Sprintf("%d %d %d:%s", id.kind, id.num, len(id.text), id.text)
}

func runDistinct(f *Frame, e *Expr) (Value, *Doubt) {
	// In a closed flow the values come in the order of the spans, whenever these came.
	if f.Open {
		if t := e.remembered(f); t != nil {
			return listValue(t.values, nil), t.doubt(&f.Sets[e.Args[0].index])
		}
	}
	var out []Value
	var doubt *Doubt
	seen := map[identity]bool{}
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
	switch x := v.ref.(type) {
	case *groups:
		out := make([]Value, len(x.sets))
		for i, s := range x.sets {
			out[i] = setValue(s, x.doubt)
		}
		return listValue(out, nil), x.doubt
	case mapping:
		return f.listed(x, func(e entry) Value { return e.value }), nil
	}
	return e.noKeys(f, v), nil
}

func runKeys(f *Frame, e *Expr) (Value, *Doubt) {
	v := e.Args[0].value(f)
	switch x := v.ref.(type) {
	case *groups:
		return listValue(x.keys, nil), x.doubt
	case mapping:
		return f.listed(x, func(e entry) Value { return stringValue(e.key) }), nil
	}
	return e.noKeys(f, v), nil
}

// listed is something of each entry of a map, in the order of the keys.
func (f *Frame) listed(m mapping, of func(entry) Value) Value {
	entries := sorted(m)
	f.step(len(entries))
	out := make([]Value, len(entries))
	for i, e := range entries {
		out[i] = of(e)
	}
	return listValue(out, nil)
}

func (e *Expr) noKeys(f *Frame, v Value) Value {
	if v.kind == Missing || v.kind == Unknown {
		return v
	}
	return e.fail("%s wants the groups of groupBy or a map such as attrs, and %s", e.Word.Name, e.Args[0].found(v))
}

func valuesType(e *Expr) Type {
	if e.Args[0].Type.Base == TGroups {
		return listOf(typ(TSet))
	}
	return typ(TList)
}

func keysType(e *Expr) Type {
	if e.Args[0].Type.Base == TMap {
		return listOf(typ(TString))
	}
	return typ(TList)
}
