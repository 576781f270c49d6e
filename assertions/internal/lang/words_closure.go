package lang

import (
	"slices"

	"github.com/followspan/followspan/trace"
)

// tally is what a closure says of the elements so far.
type tally struct {
	yes, no int
	doubt   *Doubt // some element is undecided, or there may be more
}

// tally asks the closure about each element, and stops when enough says so.
func (e *Expr) tally(f *Frame, enough func(*tally) bool) tally {
	if t, ok := e.cached(f); ok {
		return t
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
		doubt = worse(doubt, v.Doubt())
		if v.kind != Unknown {
			out = append(out, v)
		}
		return true
	})
	return listValue(out, nil), worse(doubt, d)
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
