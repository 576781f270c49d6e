package assertions

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/followspan/followspan/assertions/internal/yamlfile"
)

// json reads a document. A plain ${param} alone keeps the type of its param.
func (l *loader) json(n *yamlfile.Node) *JSON {
	switch n.Kind {
	case yamlfile.Sequence:
		j := &JSON{kind: jsonArray}
		for _, item := range n.Items {
			j.items = append(j.items, *l.json(item))
		}
		return j
	case yamlfile.Mapping:
		j := &JSON{kind: jsonObject}
		for _, p := range n.Pairs {
			j.members = append(j.members, jsonMember{p.Key.Value, *l.json(p.Value)})
		}
		return j
	}
	if text, ok := l.jsonScalar(n); ok {
		return &JSON{kind: jsonScalar, scalar: text}
	}
	t := l.template(n, true)
	return &JSON{kind: jsonText, text: &t}
}

// jsonScalar returns the encoded form of a value that is no string.
func (l *loader) jsonScalar(n *yamlfile.Node) (string, bool) {
	switch n.Type {
	case yamlfile.Null:
		return "null", true
	case yamlfile.Bool:
		return strings.ToLower(n.Value), true
	case yamlfile.Int, yamlfile.Float:
		return jsonNumber(n.Value)
	}
	m := referencePattern.FindStringSubmatch(n.Value)
	if n.Style != yamlfile.Plain || m == nil || len(m[0]) != len(n.Value) {
		return "", false
	}
	p, ok := l.params[m[1]]
	if _, isDuration := p.Value.(time.Duration); !ok || isDuration {
		return "", false
	}
	if _, isText := p.Value.(string); isText {
		return "", false
	}
	encoded, err := json.Marshal(p.Value)
	return string(encoded), err == nil
}

// jsonNumber returns a number of YAML as one of JSON. What JSON cannot say, such as .inf, is text.
func jsonNumber(text string) (string, bool) {
	if json.Valid([]byte(text)) {
		return text, true
	}
	text = strings.ReplaceAll(text, "_", "")
	if n, err := strconv.ParseInt(text, 0, 64); err == nil {
		return strconv.FormatInt(n, 10), true
	}
	f, err := strconv.ParseFloat(text, 64)
	encoded, invalid := json.Marshal(f)
	return string(encoded), err == nil && invalid == nil
}
