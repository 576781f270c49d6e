package lang

import (
	"strings"

	"github.com/followspan/followspan/trace"
)

// source is where an attribute is looked up.
type source uint8

const (
	anywhere source = iota // the span, then its resource, then its scope
	inResource
	inScope
)

// lookup finds an attribute of a span under its name or an alias of it. The key
// that matched is the second result.
func (s source) lookup(span trace.Span, keys []string) (trace.Value, string) {
	for _, k := range keys {
		if v, ok := s.exactly(span, k); ok && !span.Kind().TellsApart(keys[0], k) {
			return v, k
		}
	}
	for _, k := range keys {
		if v, ok := s.nested(span, k); ok {
			return v, k
		}
	}
	return trace.Value{}, ""
}

// Attribute reads what an expression reads under the key: from the span, its
// resource or its scope, under the key or an alias of it.
func Attribute(key string) func(trace.Span) (trace.Value, bool) {
	keys := trace.Aliases(key)
	return func(s trace.Span) (trace.Value, bool) {
		v, found := anywhere.lookup(s, keys)
		return v, found != ""
	}
}

func (s source) exactly(span trace.Span, key string) (trace.Value, bool) {
	switch s {
	case inResource:
		return span.Resource().Attr(key)
	case inScope:
		return scopeAttr(span.Scope(), key)
	}
	return span.Lookup(key)
}

func scopeAttr(s trace.Scope, key string) (trace.Value, bool) {
	switch key {
	case "name":
		return trace.StringValue(s.Name()), s.Name() != ""
	case "version":
		return trace.StringValue(s.Version()), s.Version() != ""
	}
	return s.Attr(key)
}

// nested finds a.b.c within a map that is the value of a or of a.b.
func (s source) nested(span trace.Span, key string) (trace.Value, bool) {
	for i := strings.LastIndexByte(key, '.'); i > 0; i = strings.LastIndexByte(key[:i], '.') {
		if v, ok := s.exactly(span, key[:i]); ok && v.Kind() == trace.Map {
			return within(v, key[i+1:])
		}
	}
	return trace.Value{}, false
}

// within follows a dotted path into a map.
func within(v trace.Value, path string) (trace.Value, bool) {
	if x, ok := v.Field(path); ok {
		return x, true
	}
	for i := 0; i < len(path); i++ {
		if path[i] != '.' {
			continue
		}
		if x, ok := v.Field(path[:i]); ok && x.Kind() == trace.Map {
			if y, ok := within(x, path[i+1:]); ok {
				return y, true
			}
		}
	}
	return trace.Value{}, false
}

// MatchedKey returns the name under which the attribute that e reads was found
// on a span, and whether it was found at all.
func (e *Expr) MatchedKey(f *Frame, n trace.Node) (string, bool) {
	if e.Op != OpAttr {
		return "", false
	}
	from, _ := e.aux.(source)
	_, key := from.lookup(f.span(n), e.keys)
	return key, key != ""
}

// WhereFound says where on the span the attribute that e reads was found: "span",
// "resource" or "scope"; "" if nowhere.
func (e *Expr) WhereFound(f *Frame, n trace.Node) string {
	key, ok := e.MatchedKey(f, n)
	if !ok {
		return ""
	}
	s := f.span(n)
	if _, ok := s.Attr(key); ok {
		return "span"
	}
	if _, ok := s.Resource().Attr(key); ok {
		return "resource"
	}
	return "scope"
}
