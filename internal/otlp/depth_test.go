package otlp_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/followspan/followspan/internal/otlp"
	"github.com/followspan/followspan/trace"
)

// inField wraps b in a length-delimited field.
func inField(n protowire.Number, b []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, n, protowire.BytesType), b)
}

// request is a protobuf request with one span that has the one attribute value.
func request(value []byte) []byte {
	attr := inField(9, append(inField(1, []byte("deep")), inField(2, value)...))
	ids := append(inField(1, slices.Repeat([]byte{1}, 16)), inField(2, slices.Repeat([]byte{1}, 8))...)
	return inField(1, inField(2, inField(2, append(ids, attr...))))
}

// lists is an AnyValue of lists within lists, built backwards to be fast.
func lists(depth int) []byte {
	b := []byte{}
	prepend := func(n protowire.Number) {
		head := protowire.AppendVarint(protowire.AppendTag(nil, n, protowire.BytesType), uint64(len(b)))
		slices.Reverse(head)
		b = append(b, head...)
	}
	for i := range depth {
		if i > 0 {
			prepend(1) // ArrayValue.values
		}
		prepend(5) // AnyValue.array_value
	}
	slices.Reverse(b)
	return b
}

func jsonRequest(value string) string {
	return `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708",` +
		`"attributes":[{"key":"deep","value":` + value + `}]}]}]}]}`
}

func jsonLists(depth int) string {
	open, end := `{"arrayValue":{"values":[`, `]}}`
	return jsonRequest(strings.Repeat(open, depth) + strings.Repeat(end, depth))
}

func jsonMaps(depth int) string {
	open, end := `{"kvlistValue":{"values":[{"key":"k","value":`, `}]}}`
	return jsonRequest(strings.Repeat(open, depth) + `{"intValue":1}` + strings.Repeat(end, depth))
}

func depthOf(v trace.Value) int {
	deepest := 0
	for e := range v.Elems() {
		deepest = max(deepest, depthOf(e))
	}
	for _, e := range v.Fields() {
		deepest = max(deepest, depthOf(e))
	}
	if v.Kind() == trace.List || v.Kind() == trace.Map {
		return deepest + 1
	}
	return deepest
}

func TestNesting(t *testing.T) {
	var b trace.Builder
	d := otlp.NewDecoder(&b, otlp.Limits{})
	for name, decode := range map[string]func(depth int) ([]otlp.Refusal, error){
		"protobuf":   func(depth int) ([]otlp.Refusal, error) { return d.Protobuf(request(lists(depth))) },
		"JSON lists": func(depth int) ([]otlp.Refusal, error) { return d.JSON([]byte(jsonLists(depth))) },
		"JSON maps":  func(depth int) ([]otlp.Refusal, error) { return d.JSON([]byte(jsonMaps(depth))) },
	} {
		for _, depth := range []int{1, otlp.DefaultNesting} {
			if _, err := decode(depth); err != nil {
				t.Errorf("%s nested %d deep: %v", name, depth, err)
				continue
			}
			v, _ := b.Commit()[0].Attr("deep")
			if got := depthOf(v); got != depth {
				t.Errorf("%s nested %d deep: kept %d", name, depth, got)
			}
		}
		for _, depth := range []int{otlp.DefaultNesting + 1, 1400, 1_000_000} {
			_, err := decode(depth)
			wantReason(t, fmt.Sprint(name, " nested ", depth, " deep"), err, otlp.TooDeep)
			b.Rollback()
		}
	}
}

func wantReason(t *testing.T, name string, err error, want otlp.Reason) {
	t.Helper()
	var e *otlp.Error
	if !errors.As(err, &e) || e.Reason != want {
		t.Errorf("%s: error %v, want %q", name, err, want)
	}
}

// A group is an unknown field, whatever is in it.
func TestGroups(t *testing.T) {
	group := func(content []byte) []byte {
		b := append(protowire.AppendTag(nil, 99, protowire.StartGroupType), content...)
		return protowire.AppendTag(b, 99, protowire.EndGroupType)
	}
	one := protowire.AppendVarint(protowire.AppendTag(nil, 3, protowire.VarintType), 1)
	v, _ := protobuf(t, request(append(group(append(one, lists(100_000)...)), one...)))[0].Attr("deep")
	if v != trace.IntValue(1) {
		t.Errorf("the value behind a group is %v", v)
	}
	var b trace.Builder
	d := otlp.NewDecoder(&b, otlp.Limits{})
	for name, value := range map[string][]byte{
		"an endless group":     group(nil)[:2],
		"a lone end":           group(nil)[2:],
		"a million groups":     slices.Repeat(group(nil)[:2], 1_000_000),
		"a group as the value": protowire.AppendTag(protowire.AppendTag(nil, 3, protowire.StartGroupType), 3, protowire.EndGroupType),
	} {
		_, err := d.Protobuf(request(value))
		wantReason(t, name, err, otlp.Malformed)
		b.Rollback()
	}
}
