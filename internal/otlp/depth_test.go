package otlp_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace"
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
	protobuf := func(depth int) (ptrace.Traces, error) { return otlp.Unmarshal(request(lists(depth))) }
	list := func(depth int) (ptrace.Traces, error) { return otlp.UnmarshalJSON([]byte(jsonLists(depth))) }
	fields := func(depth int) (ptrace.Traces, error) { return otlp.UnmarshalJSON([]byte(jsonMaps(depth))) }
	for name, unmarshal := range map[string]func(int) (ptrace.Traces, error){"protobuf": protobuf, "JSON lists": list, "JSON maps": fields} {
		for _, depth := range []int{1, trace.MaxValueDepth, trace.MaxValueDepth + 1, 990} {
			td, err := unmarshal(depth)
			if err != nil {
				t.Errorf("%s nested %d deep: %v", name, depth, err)
				continue
			}
			v, _ := decode(t, td)[0].Attr("deep")
			if got, want := depthOf(v), min(depth, trace.MaxValueDepth); got != want {
				t.Errorf("%s nested %d deep: kept %d, want %d", name, depth, got, want)
			}
		}
		for _, depth := range []int{1400, 1_000_000} {
			_, err := unmarshal(depth)
			wantReason(t, name, err, otlp.TooDeep)
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

// pdata leaves a group after its first scalar and reads on as if it stood outside,
// so that a group could carry past the scan what pdata then recurses into.
func TestGroupsCannotHideNesting(t *testing.T) {
	group := protowire.AppendTag(nil, 99, protowire.StartGroupType)
	group = protowire.AppendVarint(protowire.AppendTag(group, 1, protowire.VarintType), 1)
	group = append(group, lists(100_000)...)
	group = protowire.AppendTag(group, 99, protowire.EndGroupType)
	_, err := otlp.Unmarshal(request(group))
	wantReason(t, "group", err, otlp.Malformed)
}
