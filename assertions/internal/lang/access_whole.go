package lang

import (
	"strings"

	"github.com/followspan/followspan/trace"
)

// evalResponse reads the trigger's answer.
func evalResponse(f *Frame, e *Expr) Value {
	if f.Response == nil {
		return unknown(&Doubt{Why: Pending, Text: "the trigger has not been answered"})
	}
	switch e.Operator {
	case "status":
		return intValue(int64(f.Response.Status))
	case "duration":
		return durationValue(f.Response.Duration)
	case "body":
		return f.Response.Body
	}
	if v, ok := f.Response.Headers[strings.ToLower(e.keys[0])]; ok {
		return stringValue(v)
	}
	return missing
}

// evalSet reads a declared set.
func evalSet(f *Frame, e *Expr) Value {
	s := &f.Sets[e.index]
	return f.soonEnough(setValue(s.Nodes, s.Doubt))
}

// soonEnough hides of a set what starts later after the origin than an assertion considers.
func (f *Frame) soonEnough(v Value) Value {
	switch {
	case f.Within <= 0 || v.kind != Set:
		return v
	case f.Open && (f.Origin == trace.None || f.OriginMoves):
		return unknown(arriving)
	case f.Origin == trace.None:
		return v
	}
	last := f.span(f.Origin).Start().Add(f.Within)
	var out []trace.Node
	for _, n := range v.Nodes() {
		if f.span(n).Start() <= last {
			out = append(out, n)
		}
	}
	f.step(len(v.Nodes()))
	return setValue(out, v.Doubt())
}

func evalOrigin(f *Frame, e *Expr) Value {
	switch {
	case f.Open && (f.Origin == trace.None || f.OriginMoves):
		return unknown(arriving)
	case f.Origin != trace.None:
		return spanValue(f.Origin)
	}
	return missing
}

// evalIndex is x[i]: by position in lists and sets, by key in groups and maps.
func evalIndex(f *Frame, e *Expr) Value {
	v, i := e.Args[0].value(f), e.Args[1].value(f)
	if v.kind == Missing || v.kind == Unknown {
		return v
	}
	if i.kind == Missing || i.kind == Unknown {
		return i
	}
	switch x := v.ref.(type) {
	case *spanSet:
		if x.doubt != nil {
			return unknown(x.doubt)
		}
		return element(len(x.nodes), i, func(at int) Value { return spanValue(f.ByStart(x.nodes)[at]) })
	case *list:
		if x.doubt != nil {
			return unknown(x.doubt)
		}
		return element(len(x.elems), i, func(at int) Value { return x.elems[at] })
	case *groups:
		return x.at(i)
	case mapping:
		return x.find(trace.Aliases(i.Str()))
	}
	return e.fail("%s cannot be indexed", describe(v))
}

// element is missing where there is no such position; negative ones count from the end.
func element(length int, i Value, at func(int) Value) Value {
	n := int(i.Int())
	if n < 0 {
		n += length
	}
	if i.kind != Int || n < 0 || n >= length {
		return missing
	}
	return at(n)
}

func (g *groups) at(key Value) Value {
	for i, k := range g.keys {
		if equal(k, key) {
			return setValue(g.sets[i], g.doubt)
		}
	}
	if g.doubt != nil {
		return setValue(nil, g.doubt)
	}
	return missing
}
