package lang

import "github.com/followspan/followspan/trace"

// What explanations need: parts of an expression evaluated by themselves, after
// the whole was evaluated in the same frame, so that what let bound is still there.

// SpanValue is a span as a value.
func SpanValue(n trace.Node) Value { return spanValue(n) }

// TimeValue is a time as a value.
func TimeValue(t trace.Time) Value { return timeValue(t) }

// Node returns the node of a Span.
func (v Value) Node() (trace.Node, bool) { return v.node(), v.kind == Span }

// Same reports whether both are present and equal.
func Same(a, b Value) bool { return equal(a, b) }

// Describe names type and content: `the string "42.00"`.
func Describe(v Value) string { return describe(v) }

// Number returns the content of an Int, a Float or a Duration.
func (v Value) Number() (float64, bool) {
	switch v.kind {
	case Int, Float, Duration:
		return v.asFloat(), true
	}
	return 0, false
}

// Elements are what a closure or a word would run over.
func (e *Expr) Elements(f *Frame) (out []Value) {
	f.Guard(func() {
		e.each(f, func(v Value) bool {
			out = append(out, v)
			return true
		})
	})
	return out
}

// Keys are what words say of the keys of a Map or of Groups, in the order of values.
func (f *Frame) Keys(v Value) (out []string) {
	switch x := v.ref.(type) {
	case mapping:
		for _, e := range sorted(x) {
			out = append(out, e.key)
		}
	case *groups:
		for _, k := range x.keys {
			out = append(out, f.Show(k))
		}
	}
	return out
}

// Closure returns the closure among the arguments of a call, or nil.
func (e *Expr) Closure() *Expr {
	for _, a := range e.Args {
		if a.Op == OpClosure {
			return a
		}
	}
	return nil
}

// Bind makes an element what a closure is about, for Value of its parts.
func (e *Expr) Bind(f *Frame, elem Value) {
	if e.Op == OpClosure {
		f.slots[e.slot] = elem
	}
}

// Read is the field or attribute that e names, of one span.
func (e *Expr) Read(f *Frame, n trace.Node) Value {
	if e.Op == OpField && e.field == nil {
		return missing
	}
	return e.read(f, n)
}

// For evaluates a closure for one element.
func (e *Expr) For(f *Frame, elem Value) Value {
	e.Bind(f, elem)
	return e.Value(f)
}

// MustCompile is Compile for sources that are known to be right.
func MustCompile(source string, s *Scope) *Expr {
	e, found := Compile(source, s)
	if e == nil {
		panic(source + ": " + found[0].Error())
	}
	return e
}

// BindSpan makes a span what a selector is about, for Value of its parts.
func (e *Expr) BindSpan(f *Frame, n trace.Node) { e.OfSpan(f, n) }

// IsScalar reports whether e reads a single value of a span, a set or an event.
func (e *Expr) IsScalar() bool {
	return e.Op == OpAttr || e.Op == OpField && !e.Type.isSpans() && e.Type.Base != TList
}

// IsSpans reports whether e is a set or a span.
func (e *Expr) IsSpans() bool { return e.Type.isSpans() }

// Calls reports whether e is a call of one of the words.
func (e *Expr) Calls(words ...string) bool {
	if e.Op != OpCall {
		return false
	}
	for _, w := range words {
		if e.Word.Name == w {
			return true
		}
	}
	return false
}

// Outside calls visit for the parts of e that are evaluated once, not within a
// closure.
func (e *Expr) Outside(visit func(*Expr)) {
	e.Walk(func(x *Expr) bool {
		if x.Op == OpClosure {
			return false
		}
		visit(x)
		return true
	})
}

// SpanName is how messages name a span.
func (f *Frame) SpanName(n trace.Node) string { return f.spanName(n) }
