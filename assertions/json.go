package assertions

import (
	"encoding/json"
	"strings"
)

// JSON is a JSON document written as YAML, with templates in its strings.
type JSON struct {
	scalar  string // the encoded form of a number, boolean or null
	text    *Template
	items   []JSON
	members []jsonMember
	kind    jsonKind
}

type jsonMember struct {
	name  string
	value JSON
}

type jsonKind uint8

const (
	jsonScalar jsonKind = iota
	jsonText
	jsonArray
	jsonObject
)

// Encode returns the document as compact JSON, members in the order of the file, with the captured names filled in.
func (j *JSON) Encode(captured map[string]string) []byte {
	var b strings.Builder
	j.encode(&b, captured)
	return []byte(b.String())
}

func (j *JSON) encode(b *strings.Builder, captured map[string]string) {
	switch j.kind {
	case jsonScalar:
		b.WriteString(j.scalar)
	case jsonText:
		b.WriteString(quoteJSON(j.text.Expand(captured)))
	case jsonArray:
		b.WriteByte('[')
		for i := range j.items {
			comma(b, i)
			j.items[i].encode(b, captured)
		}
		b.WriteByte(']')
	case jsonObject:
		b.WriteByte('{')
		for i := range j.members {
			comma(b, i)
			b.WriteString(quoteJSON(j.members[i].name) + ":")
			j.members[i].value.encode(b, captured)
		}
		b.WriteByte('}')
	}
}

func comma(b *strings.Builder, i int) {
	if i > 0 {
		b.WriteByte(',')
	}
}

func quoteJSON(text string) string {
	quoted, _ := json.Marshal(text) // a string always has an encoding
	return string(quoted)
}

// templates calls visit with each template of the document.
func (j *JSON) templates(visit func(Template)) {
	if j == nil {
		return
	}
	if j.text != nil {
		visit(*j.text)
	}
	for i := range j.items {
		j.items[i].templates(visit)
	}
	for i := range j.members {
		j.members[i].value.templates(visit)
	}
}
