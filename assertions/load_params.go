package assertions

import (
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/followspan/followspan/assertions/internal/yamlfile"
	"github.com/followspan/followspan/internal/diag"
)

func (l *loader) loadParams(n *yamlfile.Node) {
	pairs, ok := l.pairs(n, "params", "params: {max_time: 2s}")
	if !ok {
		return
	}
	for _, p := range pairs {
		l.later[p.Key.Value] = p.Key.Range
	}
	for _, p := range pairs {
		if l.named(p.Key, "param") {
			l.param(p)
		}
		delete(l.later, p.Key.Value)
	}
}

func (l *loader) param(pair yamlfile.Pair) {
	p := Param{Name: pair.Key.Value, Range: pair.Key.Range}
	declared, ok := l.paramValue(pair.Value)
	if !ok {
		return
	}
	p.Value, p.Text = declared.value, declared.text
	if text, overridden := l.options.Params[p.Name]; overridden {
		value, ok := convert(text, declared.value)
		if !ok {
			l.report(diag.Diagnostic{What: fmt.Sprintf("--param %s=%s does not fit", p.Name, text), Range: pair.Value.Range,
				Label: "the param is declared as " + typeNoun(declared.value)})
			return
		}
		p.Value, p.Text = value, text
	}
	l.params[p.Name] = p
	l.file.Params = append(l.file.Params, p)
}

// typed is a value with the text that stands for it in strings.
type typed struct {
	value any
	text  string
}

const paramKinds = "a param is a string, a number, a duration, true or false, or a list of these"

func (l *loader) paramValue(n *yamlfile.Node) (typed, bool) {
	switch n.Kind {
	case yamlfile.Mapping:
		return typed{}, l.wrong(n, "a value for the param", paramKinds, "params: {max_time: 2s, allowed: [a, b]}")
	case yamlfile.Scalar:
		return l.paramScalar(n)
	}
	list := []any{}
	for _, item := range n.Items {
		if item.Kind != yamlfile.Scalar {
			return typed{}, l.wrong(item, "a plain value in the list", paramKinds, "allowed: [a, b]")
		}
		element, ok := l.paramScalar(item)
		if !ok {
			return typed{}, false
		}
		list = append(list, element.value)
	}
	return typed{value: list}, true
}

// oldBooleans are words that YAML used to take for booleans.
var oldBooleans = map[string]string{"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}

// paramScalar reads a value of the type that the file gives it: that of the text, or of the default where it is
// taken from the environment.
func (l *loader) paramScalar(n *yamlfile.Node) (typed, bool) {
	if n.IsNull() {
		return typed{}, l.wrong(n, "a value for the param", paramKinds, `"" for an empty string`)
	}
	if meant, old := oldBooleans[strings.ToLower(n.Value)]; old && n.Style == yamlfile.Plain {
		l.report(diag.Diagnostic{What: "neither text nor true or false", Range: n.Range, Label: fmt.Sprintf("some readers of YAML take %s for %s", n.Value, meant),
			Try: []string{meant, strconv.Quote(n.Value) + " if it is text"}})
		return typed{}, false
	}
	model := l.declaredType(n)
	text := l.substitute(n).Value
	value, ok := convert(text, model)
	if !ok {
		l.report(diag.Diagnostic{What: "the environment does not fit the param", Range: n.Range, Label: fmt.Sprintf("it is %q here, and the default is %s", text, typeNoun(model))})
	}
	return typed{value, text}, ok
}

// declaredType returns a value of the type that the scalar declares.
func (l *loader) declaredType(n *yamlfile.Node) any {
	if !strings.Contains(n.Value, "${") {
		if n.Style != yamlfile.Plain {
			return ""
		}
		return guess(n.Value)
	}
	m := referencePattern.FindStringSubmatch(n.Value)
	if m == nil || len(m[0]) < len(n.Value) {
		return ""
	}
	if p, ok := l.params[m[1]]; ok {
		return p.Value
	}
	if m[2] == "" {
		return ""
	}
	return guess(m[3])
}

var intPattern = regexp.MustCompile(`^[-+]?[0-9]+$`)
var floatPattern = regexp.MustCompile(`^[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$`)

// guess returns text as the value that it looks like: int, float64, bool, time.Duration, else string.
func guess(text string) any {
	for _, model := range []any{0, false, time.Duration(0)} {
		if value, ok := convert(text, model); ok {
			return value
		}
	}
	return text
}

// convert reads text as a value of the type that model has. An int may become a float64, and the other way round.
func convert(text string, model any) (any, bool) {
	switch model := model.(type) {
	case string:
		return text, true
	case int, float64:
		return convertNumber(text)
	case bool:
		return strings.EqualFold(text, "true"), strings.EqualFold(text, "true") || strings.EqualFold(text, "false")
	case time.Duration:
		d, _, ok := parseDuration(text)
		return d, ok
	case []any:
		return convertList(text, model)
	}
	return nil, false
}

func convertNumber(text string) (any, bool) {
	if intPattern.MatchString(text) {
		if n, err := strconv.Atoi(text); err == nil {
			return n, true
		}
	}
	if !floatPattern.MatchString(text) {
		return nil, false
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil
}

// convertList reads "a,b" or "[a, b]". The elements have the type of the declared first one.
func convertList(text string, model []any) (any, bool) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") {
		text = text[1 : len(text)-1]
	}
	list := []any{}
	if strings.TrimSpace(text) == "" {
		return list, true
	}
	var element any = ""
	if len(model) > 0 {
		element = model[0]
	}
	for _, item := range strings.Split(text, ",") {
		value, ok := convert(strings.TrimSpace(item), element)
		if !ok {
			return nil, false
		}
		list = append(list, value)
	}
	return list, true
}

// typeNoun says what a value is.
func typeNoun(value any) string {
	switch value.(type) {
	case int, float64:
		return "a number"
	case bool:
		return "true or false"
	case time.Duration:
		return "a duration such as 500ms"
	case []any:
		return "a list"
	}
	return "a string"
}

// paramNames returns the names that a reference may have, in order.
func (l *loader) paramNames() []string {
	var names []string
	for name := range l.params {
		names = append(names, name)
	}
	for name := range l.captures {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
