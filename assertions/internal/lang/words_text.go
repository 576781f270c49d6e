package lang

import (
	"encoding/json"
	"io"
	"net/url"
	"strings"
)

var stringArg = Arg{Name: "s", Kind: StringArg}

var textWords = []*Word{
	{Name: "capture", Group: "text", Doc: "what group n (1 if not given) of the pattern matched; missing if nothing did", Args: []Arg{stringArg, {Name: "re", Kind: PatternArg}, {Name: "n", Kind: NumberArg, Optional: true}},
		Result: typ(TString), Class: Fixed, run: runCapture},
	{Name: "urlDecode", Group: "text", Doc: "the string with %20 and + decoded; missing if it is malformed", Args: []Arg{stringArg}, Result: typ(TString), Class: Fixed, run: textual(decodeURL)},
	{Name: "json", Group: "text", Doc: "the value that the string holds as JSON; missing if it holds none", Args: []Arg{stringArg}, Class: Fixed, run: textual(ParseJSON)},
	{Name: "lower", Group: "text", Doc: "in lower case", Args: []Arg{stringArg}, Result: typ(TString), Class: Fixed, run: textual(func(s string) Value { return stringValue(strings.ToLower(s)) })},
	{Name: "upper", Group: "text", Doc: "in upper case", Args: []Arg{stringArg}, Result: typ(TString), Class: Fixed, run: textual(func(s string) Value { return stringValue(strings.ToUpper(s)) })},
	{Name: "trim", Group: "text", Doc: "without white space at both ends", Args: []Arg{stringArg}, Result: typ(TString), Class: Fixed, run: textual(func(s string) Value { return stringValue(strings.TrimSpace(s)) })},
	{Name: "split", Group: "text", Doc: "the parts between the separators", Args: []Arg{stringArg, {Name: "separator", Kind: StringArg}}, Result: listOf(typ(TString)), Class: Fixed, run: runSplit},
	{Name: "join", Group: "text", Doc: "the strings of a list with a separator between them", Args: []Arg{{Name: "x", Kind: ListArg}, {Name: "separator", Kind: StringArg, Optional: true}}, Result: typ(TString), run: runJoin},
	{Name: "string", Group: "text", Doc: "the value as a text", Args: []Arg{valueArg}, Result: typ(TString), Class: Fixed, run: numeric(toString)},
}

// textual is a function of one string; missing stays missing.
func textual(compute func(string) Value) func(*Frame, *Expr) (Value, *Doubt) {
	return func(f *Frame, e *Expr) (Value, *Doubt) {
		s, otherwise, ok := e.str(f, 0)
		if !ok {
			return otherwise, nil
		}
		return compute(s), nil
	}
}

// str is argument i as a string; the value is what to return if it is none.
func (e *Expr) str(f *Frame, i int) (string, Value, bool) {
	v := e.Args[i].value(f)
	switch v.kind {
	case String:
		f.read(v.str)
		return v.str, v, true
	case Missing, Unknown:
		return "", v, false
	}
	return "", e.fail("%s wants a string, and %s", e.Word.Name, e.Args[i].found(v)), false
}

func toString(v Value) Value {
	if v.kind == String {
		return v
	}
	return stringValue(written(v))
}

func decodeURL(s string) Value {
	if out, err := url.QueryUnescape(s); err == nil {
		return stringValue(out)
	}
	return missing
}

func runCapture(f *Frame, e *Expr) (Value, *Doubt) {
	s, otherwise, ok := e.str(f, 0)
	if !ok {
		return otherwise, nil
	}
	group := 1
	re := e.aux.(*pattern)
	if len(e.Args) > 2 {
		group = int(e.Args[2].value(f).Int())
	} else if re.NumSubexp() == 0 {
		group = 0
	}
	m := re.FindStringSubmatchIndex(s)
	if m == nil || group < 0 || 2*group+1 >= len(m) || m[2*group] < 0 {
		return missing, nil
	}
	return stringValue(s[m[2*group]:m[2*group+1]]), nil
}

// maxParts is how many parts split makes.
const maxParts = 10_000

func runSplit(f *Frame, e *Expr) (Value, *Doubt) {
	s, otherwise, ok := e.str(f, 0)
	if !ok {
		return otherwise, nil
	}
	separator, otherwise, ok := e.str(f, 1)
	if !ok {
		return otherwise, nil
	}
	var out []Value
	for _, part := range strings.SplitN(s, separator, maxParts) {
		f.step(1)
		out = append(out, stringValue(part))
	}
	return listValue(out, nil), nil
}

func runJoin(f *Frame, e *Expr) (Value, *Doubt) {
	separator := ""
	if len(e.Args) > 1 {
		s, otherwise, ok := e.str(f, 1)
		if !ok {
			return otherwise, nil
		}
		separator = s
	}
	var parts []string
	size := 0
	d := e.Args[0].each(f, func(v Value) bool {
		if v.kind != Missing {
			s := toString(v).str
			f.read(s)
			size += len(s) + len(separator)
			parts = append(parts, s)
		}
		return size <= maxText
	})
	if size > maxText {
		return e.fail("join made more than %d bytes", maxText), nil
	}
	return stringValue(strings.Join(parts, separator)), d
}

// ParseJSON reads JSON; what is none is missing.
func ParseJSON(s string) Value {
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	var raw any
	if d.Decode(&raw) != nil {
		return missing
	}
	if _, err := d.Token(); err != io.EOF {
		return missing // there is more than one value
	}
	return fromJSON(raw)
}

// fromJSON keeps whole numbers exact.
func fromJSON(raw any) Value {
	switch x := raw.(type) {
	case bool:
		return boolValue(x)
	case string:
		return stringValue(x)
	case json.Number:
		if i, err := x.Int64(); err == nil {
			return intValue(i)
		}
		f, err := x.Float64()
		if err != nil {
			return missing
		}
		return floatValue(f)
	case []any:
		out := make([]Value, len(x))
		for i := range x {
			out[i] = fromJSON(x[i])
		}
		return listValue(out, nil)
	case map[string]any:
		out := make(jsonMap, len(x))
		for k := range x {
			out[k] = fromJSON(x[k])
		}
		return mapValue(out)
	}
	return missing
}
