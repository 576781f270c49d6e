package otlp_test

import (
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"

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

func TestEmptyRequests(t *testing.T) {
	for _, in := range []string{"", "\n\x00", "\n\x02\x12\x00", "\n\x04\x12\x02\x1a\x00"} {
		if td, err := otlp.Unmarshal([]byte(in)); err != nil || td.SpanCount() != 0 {
			t.Errorf("Unmarshal(%q) = %d spans, %v", in, td.SpanCount(), err)
		}
	}
	for _, in := range []string{`{}`, `{"resourceSpans":[]}`, `{"resourceSpans":null}`, `{"resourceSpans":[{"scopeSpans":[{}]}]}`} {
		if td, err := otlp.UnmarshalJSON([]byte(in)); err != nil || td.SpanCount() != 0 {
			t.Errorf("UnmarshalJSON(%q) = %d spans, %v", in, td.SpanCount(), err)
		}
	}
}

func TestProtobufRefused(t *testing.T) {
	good := wire(t, everything())
	for _, c := range []struct {
		why, in string
		want    otlp.Reason
		hint    string
	}{
		{"truncated", good[:len(good)/2], otlp.Malformed, "EOF"},
		{"JSON", `{"resourceSpans":[]}`, otlp.Malformed, "look like JSON"},
		{"gzip", "\x1f\x8b\x08\x00\x00\x00\x00\x00", otlp.Malformed, "Content-Encoding"},
		{"unknown wire type", string(request([]byte{0x0f, 0x00})), otlp.Malformed, ""},
		{"wrong wire type", string(request([]byte{0x08, 0x01})), otlp.Malformed, "wireType"},
		{"short id", string(inField(1, inField(2, inField(2, inField(1, []byte("short")))))), otlp.Malformed, "length"},
		{"logs", logs(t), otlp.WrongSignal, "logs"},
		{"metrics", metrics(t), otlp.WrongSignal, "metrics"},
	} {
		_, err := otlp.Unmarshal([]byte(c.in))
		wantReason(t, c.why, err, c.want)
		if err != nil && !strings.Contains(err.Error(), c.hint) {
			t.Errorf("%s: %q does not mention %q", c.why, err, c.hint)
		}
	}
}

func logs(t *testing.T) string {
	l := plog.NewLogs()
	r := l.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	r.SetObservedTimestamp(1)
	r.Body().SetStr("hello")
	b, err := (&plog.ProtoMarshaler{}).MarshalLogs(l)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func metrics(t *testing.T) string {
	l := pmetric.NewMetrics()
	m := l.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("sixteen.long.name"[:16])
	m.SetEmptySum().DataPoints().AppendEmpty().SetIntValue(1)
	b, err := (&pmetric.ProtoMarshaler{}).MarshalMetrics(l)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Protobuf messages that follow one another are one message.
func TestConcatenatedRequests(t *testing.T) {
	one := wire(t, everything())
	td, err := otlp.Unmarshal([]byte(one + one))
	if err != nil || td.SpanCount() != 24 {
		t.Errorf("got %d spans and %v, want 24", td.SpanCount(), err)
	}
}
