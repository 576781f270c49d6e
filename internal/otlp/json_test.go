package otlp_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/followspan/followspan/internal/otlp"
	"github.com/followspan/followspan/trace"
)

const ids = `"traceId":"0102030405060708090A0B0C0D0E0F10","spanId":"010203040506070f"`

// OTLP 1.x, "JSON Protobuf Encoding", and what proto3 JSON says of null.
func TestJSON(t *testing.T) {
	for _, c := range []struct{ reason, span string }{
		{"ids in either case", ``},
		{"64-bit integers as strings", `,"startTimeUnixNano":"1"`},
		{"64-bit integers as numbers", `,"startTimeUnixNano":1`},
		{"enums as integers", `,"kind":2,"status":{"code":2}`},
		{"unknown fields", `,"future":{"a":[1,{"b":null}]},"":5`},
		{"null for every type", `,"name":null,"kind":null,"startTimeUnixNano":null,"attributes":null,"flags":null,"status":null,"droppedLinksCount":null`},
		{"null within", `,"attributes":[{"key":"a","value":{"boolValue":null}},{"key":"b","value":null}],"events":[{"timeUnixNano":null,"name":null}]`},
		{"special doubles", `,"attributes":[{"key":"a","value":{"doubleValue":"NaN"}},{"key":"b","value":{"doubleValue":"-Infinity"}}]`},
		{"base64", `,"attributes":[{"key":"a","value":{"bytesValue":"AAEC/w=="}}]`},
		{"escapes", `,"name":"\"\\\u00e4\n\ud83d\ude00"`},
		{"white space", " ,\t\"name\" :\r\n\"a , b : { [ null\" "},
		{"duplicate field", `,"name":"a","name":"b"`},
	} {
		td, err := otlp.UnmarshalJSON([]byte(` {"resourceSpans":[{"scopeSpans":[{"spans":[{` + ids + c.span + `}]}]}]} `))
		if err != nil {
			t.Errorf("%s: %v", c.reason, err)
			continue
		}
		if spans := decode(t, td); len(spans) != 1 || spans[0].ID() != (trace.SpanID{1, 2, 3, 4, 5, 6, 7, 15}) {
			t.Errorf("%s: got %d spans", c.reason, len(spans))
		}
	}
}

func TestJSONRefused(t *testing.T) {
	span := func(fields string) string {
		return `{"resourceSpans":[{"scopeSpans":[{"spans":[{` + fields + `}]}]}]}`
	}
	for _, c := range []struct {
		why, in string
		want    otlp.Reason
		hint    string
	}{
		{"empty", ``, otlp.Malformed, "unexpected end"},
		{"truncated", `{"resourceSpans":[{`, otlp.Malformed, "unexpected end"},
		{"trailing rubbish", span(ids) + `x`, otlp.Malformed, "after top-level value"},
		{"two requests", span(ids) + span(ids), otlp.Malformed, "after top-level value"},
		{"another shape", `[]`, otlp.Malformed, ""},
		{"short id", span(`"traceId":"01","spanId":"02"`), otlp.Malformed, "length"},
		{"id that is not hex", span(`"traceId":"zz02030405060708090A0B0C0D0E0F10"`), otlp.Malformed, ""},
		{"protobuf", "\n\x04\x12\x02\x12\x00", otlp.Malformed, "look like protobuf"},
		{"logs", `{"resourceLogs":[{}]}`, otlp.WrongSignal, "logs"},
		{"metrics", `{"resourceMetrics":[]}`, otlp.WrongSignal, "metrics"},
	} {
		_, err := otlp.UnmarshalJSON([]byte(c.in))
		wantReason(t, c.why, err, c.want)
		if err != nil && !strings.Contains(err.Error(), c.hint) {
			t.Errorf("%s: %q does not mention %q", c.why, err, c.hint)
		}
	}
}

func TestEmptyJSON(t *testing.T) {
	for _, in := range []string{`{}`, `{"resourceSpans":[]}`, `{"resourceSpans":null}`, `{"resourceSpans":[{"scopeSpans":[{}]}]}`} {
		if td, err := otlp.UnmarshalJSON([]byte(in)); err != nil || td.SpanCount() != 0 {
			t.Errorf("UnmarshalJSON(%q) = %d spans, %v", in, td.SpanCount(), err)
		}
	}
}

// Many small objects would take a multiple of their size in memory.
func TestTooManyObjects(t *testing.T) {
	attributes := func(one string, n int) []byte {
		return []byte(`{"resourceSpans":[{"resource":{"attributes":[` + strings.Repeat(one+",", n) + `{}]}}]}`)
	}
	for _, c := range []struct {
		why    string
		data   []byte
		reason otlp.Reason
	}{
		{"more objects than allowed", attributes("{}", 97), otlp.TooMany},
		{"as many as allowed", attributes("{}", 96), ""},
		{"braces in strings", attributes(`{"key":"{{{{{{{{{{"}`, 50), ""},
	} {
		var b trace.Builder
		_, err := otlp.NewDecoder(&b, otlp.Limits{Objects: 100}).JSON(c.data)
		var e *otlp.Error
		if errors.As(err, &e); (e == nil) != (c.reason == "") || e != nil && e.Reason != c.reason {
			t.Errorf("%s: %v, want %q", c.why, err, c.reason)
		}
	}
}

// The proto3 JSON mapping allows more forms of a value than pdata reads.
func TestJSONForms(t *testing.T) {
	for _, c := range []struct {
		value string
		want  trace.Value
	}{
		{`{"intValue":1.0}`, trace.IntValue(1)},
		{`{"intValue":-2e3}`, trace.IntValue(-2000)},
		{`{"doubleValue":1e3}`, trace.DoubleValue(1000)},
		{`{"doubleValue":-0.5}`, trace.DoubleValue(-0.5)},
		{`{"doubleValue":1e300}`, trace.DoubleValue(1e300)},
		{`{"bytesValue":"+/8="}`, trace.BytesValue([]byte{0xfb, 0xff})},
		{`{"bytesValue":"-_8"}`, trace.BytesValue([]byte{0xfb, 0xff})},
		{`{"bytesValue":"+\/8="}`, trace.BytesValue([]byte{0xfb, 0xff})},
		{`{"bytesValue":""}`, trace.BytesValue(nil)},
		{`{"stringValue":"-_8"}`, trace.StringValue("-_8")},
		{`{"stringValue":"bytesValue"}`, trace.StringValue("bytesValue")},
	} {
		var b trace.Builder
		_, err := otlp.NewDecoder(&b, otlp.Limits{}).JSON([]byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[{` + ids + `,"attributes":[{"key":"k","value":` + c.value + `}]}]}]}]}`))
		if err != nil {
			t.Errorf("%s: %v", c.value, err)
			continue
		}
		if got, _ := b.Commit()[0].Attr("k"); got != c.want {
			t.Errorf("%s: %v, want %v", c.value, got, c.want)
		}
	}
	for _, bad := range []string{`{"intValue":1.5}`, `{"bytesValue":"***"}`, `{"bytesValue":"A"}`} {
		var b trace.Builder
		if _, err := otlp.NewDecoder(&b, otlp.Limits{}).JSON([]byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[{` + ids + `,"attributes":[{"key":"k","value":` + bad + `}]}]}]}]}`)); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}
