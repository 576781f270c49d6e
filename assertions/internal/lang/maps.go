package lang

import (
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/followspan/followspan/trace"
)

// mapping is the content of a Map.
type mapping interface {
	// entries are all that it holds, in no order. A key may come twice: then the
	// first counts.
	entries() iter.Seq2[string, Value]
	// find reads a path: names joined by dots, or one of their aliases.
	find(keys []string) Value
	// has reports whether one of the entries has the key or an alias of it.
	has(key string) bool
}

func mapValue(m mapping) Value { return Value{kind: Map, ref: m} }

// attrMap is what a span carries itself, or its resource or scope. Reading a name
// looks further, as it does without the map.
type attrMap struct {
	span trace.Span
	from source
}

func (m attrMap) entries() iter.Seq2[string, Value] {
	switch m.from {
	case inResource:
		return converted(m.span.Resource().Attrs())
	case inScope:
		return m.scope
	}
	return converted(m.span.Attrs())
}

func (m attrMap) scope(yield func(string, Value) bool) {
	for _, key := range []string{"name", "version"} {
		if v, ok := scopeAttr(m.span.Scope(), key); ok && !yield(key, fromTrace(v)) {
			return
		}
	}
	converted(m.span.Scope().Attrs())(yield)
}

func (m attrMap) find(keys []string) Value {
	v, _ := m.from.lookup(m.span, keys)
	return fromTrace(v)
}

func (m attrMap) has(key string) bool {
	return slices.ContainsFunc(trace.Aliases(key), func(k string) bool {
		if m.span.Kind().TellsApart(key, k) {
			return false
		}
		if m.from == anywhere {
			_, ok := m.span.Attr(k)
			return ok
		}
		_, ok := m.from.exactly(m.span, k)
		return ok
	})
}

// detail is a trace.Event or a trace.Link.
type detail interface {
	Attrs() iter.Seq2[string, trace.Value]
	Attr(key string) (trace.Value, bool)
}

// detailMap holds the attributes of an event or a link.
type detailMap struct{ detail }

func (m detailMap) entries() iter.Seq2[string, Value] { return converted(m.Attrs()) }
func (m detailMap) find(keys []string) Value          { return firstAttr(m.Attr, keys) }
func (m detailMap) has(key string) bool               { return m.find(trace.Aliases(key)).kind != Missing }

// nestedMap is an attribute whose value is a map.
type nestedMap struct{ v trace.Value }

func (m nestedMap) entries() iter.Seq2[string, Value] { return converted(m.v.Fields()) }
func (m nestedMap) find(keys []string) Value {
	v, _ := within(m.v, keys[0])
	return fromTrace(v)
}
func (m nestedMap) has(key string) bool {
	_, ok := m.v.Field(key)
	return ok
}

// jsonMap is an object of parsed JSON.
type jsonMap map[string]Value

func (m jsonMap) entries() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		for k, v := range m {
			if !yield(k, v) {
				return
			}
		}
	}
}

func (m jsonMap) find(keys []string) Value {
	if v, ok := m[keys[0]]; ok {
		return v
	}
	first, rest, dotted := strings.Cut(keys[0], ".")
	if inner, ok := m[first].ref.(jsonMap); ok && dotted {
		return inner.find([]string{rest})
	}
	return missing
}

func (m jsonMap) has(key string) bool {
	_, ok := m[key]
	return ok
}

func converted(attrs iter.Seq2[string, trace.Value]) iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		for k, v := range attrs {
			if !yield(k, fromTrace(v)) {
				return
			}
		}
	}
}

// sizeOf is Value.size of a map. It stands by itself since it allocates.
func sizeOf(m mapping) int {
	total := 0
	for _, v := range m.entries() {
		total += 1 + v.size()
	}
	return total
}

// entry is a key of a map with its value.
type entry struct {
	key   string
	value Value
}

// sorted are the entries of a map by their keys.
func sorted(m mapping) []entry {
	var out []entry
	for k, v := range m.entries() {
		out = append(out, entry{k, v})
	}
	slices.SortStableFunc(out, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	return slices.CompactFunc(out, func(a, b entry) bool { return a.key == b.key })
}

// Text is all of a value, as string() writes it.
func (v Value) Text() string { return toString(v).str }

// written is all of a value as a text: what expressions search is not shortened as
// what people read is.
func written(v Value) string {
	var parts []string
	switch v.kind {
	case String:
		return strconv.Quote(v.str)
	case List:
		for _, e := range v.Elems() {
			parts = append(parts, written(e))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case Map:
		for _, e := range sorted(v.ref.(mapping)) {
			parts = append(parts, strconv.Quote(e.key)+": "+written(e.value))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return format(v)
}

// getAttrs, getResource and getScope are the fields of a span that are maps.
func getAttrs(f *Frame, n trace.Node) Value    { return mapValue(attrMap{f.span(n), anywhere}) }
func getResource(f *Frame, n trace.Node) Value { return mapValue(attrMap{f.span(n), inResource}) }
func getScope(f *Frame, n trace.Node) Value    { return mapValue(attrMap{f.span(n), inScope}) }
