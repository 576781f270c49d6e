package lang

import (
	"slices"
	"sort"
	"strings"
	"time"
)

// Scope is what the names of an expression may mean.
type Scope struct {
	// Span: the expression is about one span, and bare names are its fields.
	Span bool
	// Bare: that span stands alone, and its edges cannot be asked for.
	Bare bool
	// Sets are the declared sets; a Frame has their states in this order. One of
	// them is usually "spans". With Span they are those that are refused.
	Sets []string
	// Params are the named constants.
	Params map[string]Value
	// Trigger: there is a response.
	Trigger bool
	// Across: there are runs.
	Across bool
}

func (s *Scope) set(name string) (int, bool) {
	i := slices.Index(s.Sets, name)
	return i, i >= 0
}

// names are all that a bare word may be, for suggestions.
func (s *Scope) names() []string {
	var out []string
	if s.Span {
		for _, f := range spanFields {
			out = append(out, f.Name)
		}
	} else {
		out = append(out, s.Sets...)
		if s.Across {
			out = []string{"runs"} // sets belong to one run
		} else {
			out = append(out, "origin")
		}
		if s.Trigger {
			out = append(out, "response")
		}
	}
	var params []string
	for p := range s.Params {
		params = append(params, p)
	}
	sort.Strings(params)
	return append(out, params...)
}

// Reserved are the words that no set and no param may be called.
func Reserved() []string {
	out := []string{"it", "origin", "spans", "response", "runs", "not", "and", "or", "in", "let", "if", "else", "true",
		"false", "nil", "matches", "contains", "startsWith", "endsWith"}
	for _, w := range Words {
		out = append(out, w.Name)
	}
	for _, p := range setProperties {
		out = append(out, p)
	}
	sort.Strings(out)
	return slices.Compact(out)
}

// IsReserved reports whether the word has a meaning of its own.
func IsReserved(word string) bool {
	_, found := slices.BinarySearch(reserved, word)
	return found
}

var reserved []string

func init() { reserved = Reserved() }

// FieldNames are the fields of a span, for the loader's messages.
func FieldNames() []string { return (&Scope{Span: true}).names() }

// Param is the value of a named constant: a bool, an int, a float64, a string, or
// a list of these. A string that reads as a duration is one.
func Param(raw any) (Value, bool) {
	switch x := raw.(type) {
	case bool:
		return boolValue(x), true
	case int:
		return intValue(int64(x)), true
	case int64:
		return intValue(x), true
	case float64:
		return floatValue(x), true
	case time.Duration:
		return durationValue(x), true
	case string:
		if d, ok := hiddenDuration(hideDurations(strings.TrimSpace(x))); ok {
			return durationValue(d), true
		}
		return stringValue(x), true
	case []string:
		elems := make([]Value, len(x))
		for i := range x {
			elems[i] = stringValue(x[i])
		}
		return listValue(elems, nil), true
	case []any:
		elems := make([]Value, len(x))
		for i := range x {
			var ok bool
			if elems[i], ok = Param(x[i]); !ok {
				return missing, false
			}
		}
		return listValue(elems, nil), true
	}
	return missing, false
}

// typeOf is the static type of a constant.
func typeOf(v Value) Type {
	switch v.kind {
	case Bool:
		return typ(TBool)
	case Int, Float:
		return typ(TNumber)
	case String:
		return typ(TString)
	case Duration:
		return typ(TDuration)
	case List:
		elems := v.ref.(*list).elems
		if len(elems) == 0 {
			return typ(TList)
		}
		t := typeOf(elems[0])
		for _, e := range elems[1:] {
			t = either(t, typeOf(e))
		}
		return listOf(t)
	}
	return typ(TAny)
}
