package grpctrigger

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/followspan/followspan/internal/diag"
)

// misfit says where JSON does not fit a method's message, by the path and the type
// of the field. err is what protojson said, which speaks of columns.
func misfit(d *description, data []byte, err error) string {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) == nil {
		if s := (fitter{d.types}).message(d.Input(), value, ""); s != "" {
			return s
		}
	}
	return position.ReplaceAllString(plain(err), "")
}

var position = regexp.MustCompile(`\(line \d+:\d+\): `)

// fitter finds the first value that does not fit, in the order of names. Its
// methods return an empty text if everything fits.
type fitter struct{ types types }

func (f fitter) message(d protoreflect.MessageDescriptor, value any, path string) string {
	if wellKnown(d) {
		return "" // it has a form of its own
	}
	members, ok := value.(map[string]any)
	if !ok {
		return mismatch(path, "an object, the message "+string(d.FullName()), value)
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		at := name
		if path != "" {
			at = path + "." + name
		}
		if s := f.member(d, name, members[name], at); s != "" {
			return s
		}
	}
	return ""
}

func (f fitter) member(d protoreflect.MessageDescriptor, name string, value any, path string) string {
	if name[:min(1, len(name))] == "[" {
		return "" // an extension
	}
	field := d.Fields().ByJSONName(name)
	if field == nil {
		field = d.Fields().ByTextName(name)
	}
	switch {
	case field == nil:
		return unknownField(d, name, path)
	case value == nil:
		return ""
	case field.IsMap():
		return f.mapping(field, value, path)
	case field.IsList():
		return f.list(field, value, path)
	}
	return f.one(field, field, value, value, path)
}

func (f fitter) list(field protoreflect.FieldDescriptor, value any, path string) string {
	items, ok := value.([]any)
	if !ok {
		return mismatch(path, "a list of "+typeName(field), value)
	}
	for i, item := range items {
		if s := f.one(field, field, item, []any{item}, path+"["+strconv.Itoa(i)+"]"); s != "" {
			return s
		}
	}
	return ""
}

func (f fitter) mapping(field protoreflect.FieldDescriptor, value any, path string) string {
	entries, ok := value.(map[string]any)
	if !ok {
		return mismatch(path, "an object of "+typeName(field.MapValue()), value)
	}
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		if s := f.one(field, field.MapValue(), entries[key], map[string]any{key: entries[key]}, path+"["+strconv.Quote(key)+"]"); s != "" {
			return s
		}
	}
	return ""
}

// one looks at a single value of a field. It lets protojson judge whether a scalar
// fits, alone in whole, which is a value of the whole field.
func (f fitter) one(field, element protoreflect.FieldDescriptor, value, whole any, path string) string {
	if d := element.Message(); d != nil && !wellKnown(d) {
		return f.message(d, value, path)
	}
	alone, err := json.Marshal(map[string]any{field.JSONName(): whole})
	if err != nil {
		return ""
	}
	options := protojson.UnmarshalOptions{Resolver: f.types, AllowPartial: true}
	if options.Unmarshal(alone, dynamicpb.NewMessage(field.ContainingMessage())) == nil {
		return ""
	}
	return mismatch(path, typeName(element), value) + nearEnum(element.Enum(), value)
}

func unknownField(d protoreflect.MessageDescriptor, name, path string) string {
	var known []string
	for i := range d.Fields().Len() {
		known = append(known, d.Fields().Get(i).JSONName())
	}
	what := fmt.Sprintf("%s: %s has no field %q", path, d.FullName(), name)
	if near, ok := diag.Suggest(name, known); ok {
		return what + ", did you mean " + near + "?"
	}
	if len(known) == 0 {
		return what
	}
	return what + ", only " + some(known)
}

func mismatch(path, want string, value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		text = []byte("this")
	}
	if got := []rune(string(text)); len(got) > 40 {
		text = []byte(string(got[:39]) + "…")
	}
	if path == "" {
		return fmt.Sprintf("it wants %s, not %s", want, text)
	}
	return fmt.Sprintf("%s wants %s, not %s", path, want, text)
}

func nearEnum(d protoreflect.EnumDescriptor, value any) string {
	name, ok := value.(string)
	if d == nil || !ok {
		return ""
	}
	var known []string
	for i := range d.Values().Len() {
		known = append(known, string(d.Values().Get(i).Name()))
	}
	if near, ok := diag.Suggest(name, known); ok {
		return ", did you mean " + near + "?"
	}
	return ", but one of " + some(known)
}

// typeName is the type of one value, as a proto file has it.
func typeName(field protoreflect.FieldDescriptor) string {
	switch {
	case field.Message() != nil:
		return string(field.Message().FullName())
	case field.Enum() != nil:
		return "the enum " + string(field.Enum().FullName())
	case field.Kind() == protoreflect.BytesKind:
		return "bytes in base64"
	}
	return field.Kind().String()
}

// wellKnown reports whether a message has a form of its own in JSON.
func wellKnown(d protoreflect.MessageDescriptor) bool {
	return d.FullName().Parent() == "google.protobuf"
}
