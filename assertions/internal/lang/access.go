package lang

import (
	"strings"

	"github.com/followspan/followspan/trace"
)

// evalSpanField reads a field of one span.
func evalSpanField(f *Frame, e *Expr) Value {
	v := e.Args[0].value(f)
	switch v.kind {
	case Span:
		return f.soonEnough(e.field.get(f, v.node()))
	case Missing, Unknown:
		return v
	case Set:
		return e.common(f, v.ref.(*spanSet))
	}
	return e.fail("this is %s, and only spans have the field %q", describe(v), e.Operator)
}

// evalElementField reads a field of the span that a selector or a closure is about.
func evalElementField(f *Frame, e *Expr) Value {
	if v := &f.slots[e.Args[0].slot]; v.kind == Span {
		return f.soonEnough(e.field.get(f, v.node()))
	}
	return evalSpanField(f, e)
}

// evalElementAttr reads an attribute of that span.
func evalElementAttr(f *Frame, e *Expr) Value {
	if v := &f.slots[e.Args[0].slot]; v.kind == Span {
		return e.attr(f, v.node())
	}
	return evalSpanAttr(f, e)
}

// evalSpanAttr reads an attribute of one span.
func evalSpanAttr(f *Frame, e *Expr) Value {
	v := e.Args[0].value(f)
	switch v.kind {
	case Span:
		return e.attr(f, v.node())
	case Missing, Unknown:
		return v
	case Set:
		return e.common(f, v.ref.(*spanSet))
	case Event:
		return firstAttr(v.ref.(trace.Event).Attr, e.keys)
	case Link:
		return firstAttr(v.ref.(linkRef).link.Attr, e.keys)
	case Map:
		return v.ref.(mapping).find(e.keys)
	}
	return e.fail("%s has no attributes", describe(v))
}

func (e *Expr) attr(f *Frame, n trace.Node) Value {
	from, _ := e.aux.(source)
	v, _ := from.lookup(f.span(n), e.keys)
	return fromTrace(v)
}

func firstAttr(get func(string) (trace.Value, bool), keys []string) Value {
	for _, k := range keys {
		if v, ok := get(k); ok {
			return fromTrace(v)
		}
	}
	return missing
}

// read is the field or attribute that e names, of one span.
func (e *Expr) read(f *Frame, n trace.Node) Value {
	if e.Op == OpAttr {
		return e.attr(f, n)
	}
	return e.field.get(f, n)
}

// common reads a field of a set: spans unite; a scalar is the single value that
// all members share.
func (e *Expr) common(f *Frame, s *spanSet) Value {
	if e.Op == OpField && e.Type.isSpans() {
		return e.union(f, s)
	}
	if s.doubt != nil {
		return unknown(s.doubt)
	}
	var first Value
	for i, n := range s.nodes {
		f.step(1)
		v := e.read(f, n)
		if v.kind == Unknown {
			return v
		}
		if i == 0 {
			first = v
		} else if v.kind != first.kind && !(isNumber(v.kind) && isNumber(first.kind)) || v.kind != Missing && !equal(v, first) {
			return e.differing(f, s.nodes)
		}
	}
	return first
}

func (e *Expr) union(f *Frame, s *spanSet) Value {
	seen := map[trace.Node]bool{}
	var out []trace.Node
	d := s.doubt
	for _, n := range s.nodes {
		f.step(1)
		v := e.field.get(f, n)
		d = worse(d, v.Doubt())
		for _, m := range v.Nodes() {
			if !seen[m] {
				seen[m] = true
				out = append(out, m)
			}
		}
	}
	return f.soonEnough(setValue(f.ByStart(out), d))
}

// differing is the error of a scalar that is not one: it lists what there is.
func (e *Expr) differing(f *Frame, nodes []trace.Node) Value {
	var shown []string
	seen := map[string]int{}
	for _, n := range f.ByStart(nodes) {
		text := f.Show(e.read(f, n))
		if seen[text] == 0 && len(shown) < most+1 {
			shown = append(shown, text)
		}
		seen[text]++
	}
	if len(seen) > len(shown) {
		shown = append(shown, "…")
	}
	base, rest := e.Args[0].text, strings.TrimPrefix(e.text, e.Args[0].text)
	return e.failTry("all("+base+", "+rest+" …), any("+base+", "+rest+" …) or "+base+".first"+rest,
		"%s has no single value: the %d spans of %s have %s", e.text, len(nodes), base, strings.Join(shown, ", "))
}

// evalOtherField reads a field of an event, a link, a pair, a run or the response.
func evalOtherField(f *Frame, e *Expr) Value {
	v := e.Args[0].value(f)
	if v.kind == Missing || v.kind == Unknown {
		return v
	}
	switch x := v.ref.(type) {
	case trace.Event:
		switch e.Operator {
		case "name":
			return stringValue(x.Name())
		case "time":
			return known(x.Time())
		case "attrs":
			return mapValue(detailMap{x})
		}
	case linkRef:
		switch e.Operator {
		case "attrs":
			return mapValue(detailMap{x.link})
		case "traceID":
			return stringValue(x.link.TraceID().String())
		case "spanID":
			return stringValue(x.link.SpanID().String())
		case "span":
			return f.linkTarget(x)
		}
	case pair:
		if e.Operator == "a" {
			return spanValue(x.a)
		}
		return spanValue(x.b)
	}
	return e.fail("%s has no field %q", describe(v), e.Operator)
}
