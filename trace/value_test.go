package trace_test

import (
	"math"
	"slices"
	"testing"

	"github.com/followspan/followspan/trace"
)

func TestValues(t *testing.T) {
	for _, c := range []struct {
		v    trace.Value
		kind trace.ValueKind
		want string
	}{
		{trace.Value{}, trace.Missing, "missing"},
		{trace.EmptyValue(), trace.Empty, "empty"},
		{trace.StringValue("a\"b"), trace.String, `"a\"b"`},
		{trace.StringValue(""), trace.String, `""`},
		{trace.BoolValue(true), trace.Bool, "true"},
		{trace.BoolValue(false), trace.Bool, "false"},
		{trace.IntValue(math.MinInt64), trace.Int, "-9223372036854775808"},
		{trace.DoubleValue(42), trace.Double, "42.0"},
		{trace.DoubleValue(1e21), trace.Double, "1e+21"},
		{trace.DoubleValue(math.Inf(-1)), trace.Double, "-Inf"},
		{trace.DoubleValue(math.NaN()), trace.Double, "NaN"},
		{trace.BytesValue([]byte{0, 255}), trace.Bytes, "base64:AP8="},
		{trace.ListValue(), trace.List, "[]"},
		{trace.MapValue(), trace.Map, "{}"},
		{trace.ListValue(trace.IntValue(1), trace.ListValue(), trace.EmptyValue()), trace.List, "[1, [], empty]"},
		{trace.MapValue(trace.Attr{Key: "a", Value: trace.IntValue(1)}, trace.Attr{Key: "b", Value: trace.MapValue()}), trace.Map, `{"a": 1, "b": {}}`},
	} {
		if c.v.Kind() != c.kind || c.v.String() != c.want {
			t.Errorf("got %s %s, want %s %s", c.v.Kind(), c.v, c.kind, c.want)
		}
	}
}

func TestAccessors(t *testing.T) {
	list := trace.ListValue(trace.IntValue(1), trace.StringValue("two"))
	fields := trace.MapValue(trace.Attr{Key: "a", Value: list}, trace.Attr{Key: "a", Value: trace.EmptyValue()}, trace.Attr{Key: "", Value: trace.BoolValue(true)})
	if got := slices.Collect(list.Elems()); list.Len() != 2 || len(got) != 2 || got[0].Int() != 1 || got[1].Str() != "two" {
		t.Errorf("list: %v", got)
	}
	if v, ok := fields.Field("a"); !ok || v != list || fields.Len() != 3 {
		t.Errorf("the first of two fields: %v, %v", v, ok)
	}
	if v, ok := fields.Field(""); !ok || !v.Bool() {
		t.Errorf("field without a name: %v, %v", v, ok)
	}
	if v, ok := fields.Field("b"); ok || !v.IsMissing() {
		t.Errorf("field that is not there: %v, %v", v, ok)
	}
	// The accessor of another kind is zero.
	for _, v := range []trace.Value{{}, trace.EmptyValue(), list, fields, trace.BoolValue(true), trace.BytesValue(nil)} {
		if v.Int() != 0 || v.Double() != 0 || v.Str() != "" {
			t.Errorf("%s: %d, %g, %q", v, v.Int(), v.Double(), v.Str())
		}
	}
	if trace.IntValue(1).Bool() || trace.StringValue("x").Len() != 0 {
		t.Error("an int is no bool and a string has no elements")
	}
}

func TestValuesAreComparable(t *testing.T) {
	same := func() trace.Value {
		return trace.MapValue(trace.Attr{Key: "a", Value: trace.ListValue(trace.DoubleValue(math.NaN()), trace.StringValue("x"))})
	}
	if same() != same() {
		t.Error("two values of the same content differ")
	}
	distinct := []trace.Value{
		{}, trace.EmptyValue(), trace.IntValue(1), trace.DoubleValue(1), trace.BoolValue(true), trace.StringValue("1"), trace.BytesValue([]byte("1")),
		trace.ListValue(trace.IntValue(1)), trace.ListValue(trace.DoubleValue(1)), trace.MapValue(trace.Attr{Key: "", Value: trace.IntValue(1)}),
		trace.DoubleValue(0), trace.DoubleValue(math.Copysign(0, -1)), trace.ListValue(), trace.MapValue(), trace.StringValue(""), trace.BytesValue(nil),
	}
	for i, a := range distinct {
		for j, b := range distinct {
			if (a == b) != (i == j) {
				t.Errorf("%s %s == %s %s is %v", a.Kind(), a, b.Kind(), b, a == b)
			}
		}
	}
}

func TestDepthIsBounded(t *testing.T) {
	v := trace.StringValue("core")
	for range trace.MaxValueDepth {
		v = trace.ListValue(v)
	}
	depth := 0
	for inner := v; inner.Kind() == trace.List; depth++ {
		inner = slices.Collect(inner.Elems())[0]
	}
	if depth != trace.MaxValueDepth {
		t.Errorf("a value nested to the limit is %d deep", depth)
	}
	over := trace.ListValue(v, trace.IntValue(1))
	if got := slices.Collect(over.Elems()); got[0] != trace.EmptyValue() || got[1].Int() != 1 {
		t.Errorf("beyond the limit: %s and %s, want empty and 1", got[0].Kind(), got[1])
	}
}
