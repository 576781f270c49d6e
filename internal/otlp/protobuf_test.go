package otlp_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/followspan/followspan/internal/otlp"
	"github.com/followspan/followspan/trace"
)

func TestEmptyProtobuf(t *testing.T) {
	for _, in := range []string{"", "\n\x00", "\n\x02\x12\x00", "\n\x04\x12\x02\x1a\x00"} {
		if spans := protobuf(t, []byte(in)); len(spans) != 0 {
			t.Errorf("%q has %d spans", in, len(spans))
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
		{"wrong wire type", string(request([]byte{0x08, 0x01})), otlp.Malformed, "field 1 of a AnyValue has wire type 0"},
		{"field number zero", string(request([]byte{0x02, 0x00})), otlp.Malformed, ""},
		{"endless varint", string(request(bytes.Repeat([]byte{0xff}, 11))), otlp.Malformed, ""},
		{"logs", logs(t), otlp.WrongSignal, "logs"},
		{"sums", metrics(t, func(m pmetric.Metric) { m.SetEmptySum().DataPoints().AppendEmpty().SetIntValue(1) }), otlp.WrongSignal, "metrics"},
		{"gauges", metrics(t, func(m pmetric.Metric) { m.SetEmptyGauge().DataPoints().AppendEmpty().SetIntValue(1) }), otlp.WrongSignal, "metrics"},
		{"histograms", metrics(t, func(m pmetric.Metric) {
			h := m.SetEmptyHistogram()
			h.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
			h.DataPoints().AppendEmpty().SetCount(1)
		}), otlp.WrongSignal, "metrics"},
		{"summaries", metrics(t, func(m pmetric.Metric) { m.SetEmptySummary().DataPoints().AppendEmpty().SetCount(1) }), otlp.WrongSignal, "metrics"},
	} {
		var b trace.Builder
		_, err := otlp.NewDecoder(&b, otlp.Limits{}).Protobuf([]byte(c.in))
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

func metrics(t *testing.T, fill func(pmetric.Metric)) string {
	l := pmetric.NewMetrics()
	m := l.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("sixteen.long.name"[:16])
	fill(m)
	b, err := (&pmetric.ProtoMarshaler{}).MarshalMetrics(l)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Protobuf messages that follow one another are one message.
func TestConcatenatedRequests(t *testing.T) {
	one := wire(t, everything())
	if spans := protobuf(t, []byte(one+one)); len(spans) != 24 {
		t.Errorf("got %d spans, want 24", len(spans))
	}
}

// oneSpan is a request with a span of these fields behind its ids.
func oneSpan(fields ...[]byte) []byte {
	ids := append(inField(1, slices.Repeat([]byte{1}, 16)), inField(2, slices.Repeat([]byte{1}, 8))...)
	return inField(1, inField(2, inField(2, slices.Concat(append([][]byte{ids}, fields...)...))))
}

func stringAttr(field protowire.Number, key, value string) []byte {
	return inField(field, append(inField(1, []byte(key)), inField(2, inField(1, []byte(value)))...))
}

// Protobuf: a message that stands in several parts is their sum, of a number or a
// text the last counts.
func TestMessagesInParts(t *testing.T) {
	span := inField(2, append(inField(1, slices.Repeat([]byte{1}, 16)), inField(2, slices.Repeat([]byte{1}, 8))...))
	data := inField(1, slices.Concat(
		inField(1, stringAttr(1, "service.name", "checkout")),
		inField(2, slices.Concat(inField(1, inField(1, []byte("first"))), span, inField(1, inField(1, []byte("scope"))), inField(1, inField(2, []byte("v1"))))),
		inField(1, stringAttr(1, "host.name", "h")),
		inField(3, []byte("schema")),
	))
	s := protobuf(t, data)[0]
	host, _ := s.Resource().Attr("host.name")
	if s.Service() != "checkout" || host.Str() != "h" || s.Resource().SchemaURL() != "schema" || s.Scope().Name() != "scope" || s.Scope().Version() != "v1" {
		t.Errorf("service %q, host %v, schema %q, scope %q %q", s.Service(), host, s.Resource().SchemaURL(), s.Scope().Name(), s.Scope().Version())
	}
	s = protobuf(t, oneSpan(inField(15, inField(2, []byte("declined"))), []byte{15<<3 | 2, 2, 3 << 3, 2}, inField(5, []byte("a")), inField(5, []byte("b"))))[0]
	if s.Status() != trace.Error || s.StatusMessage() != "declined" || s.Name() != "b" {
		t.Errorf("status %v %q, name %q", s.Status(), s.StatusMessage(), s.Name())
	}
}

// Protobuf: of the members of a oneof the last counts, and a message that follows
// itself is merged with it.
func TestOneof(t *testing.T) {
	list := func(texts ...string) []byte {
		var b []byte
		for _, s := range texts {
			b = append(b, inField(1, inField(1, []byte(s)))...)
		}
		return inField(5, b)
	}
	fields := func(key, value string) []byte { return inField(6, stringAttr(1, key, value)) }
	one := []byte{3 << 3, 1}
	for _, c := range []struct {
		value []byte
		want  string
	}{
		{nil, "empty"},
		{slices.Concat(one, inField(1, []byte("s"))), `"s"`},
		{slices.Concat(inField(1, []byte("s")), one), `1`},
		{slices.Concat(one, list("a")), `["a"]`},
		{slices.Concat(list("a"), one), `1`},
		{slices.Concat(list("a"), list("b", "c")), `["a", "b", "c"]`},
		{slices.Concat(fields("a", "b"), fields("c", "d")), `{"a": "b", "c": "d"}`},
		{slices.Concat(list("a"), fields("c", "d"), list("b")), `["b"]`},
		{slices.Concat(inField(7, []byte("b")), []byte{8 << 3, 1}), `empty`}, // an index into the strings of profiles
		{inField(5, inField(1, slices.Concat(list("a"), one, list("b"), list()))), `[["b"]]`},
	} {
		s := protobuf(t, request(c.value))[0]
		if v, _ := s.Attr("deep"); v.String() != c.want {
			t.Errorf("%x: %v, want %s", c.value, v, c.want)
		}
	}
	// Two values of one key are merged likewise.
	s := protobuf(t, oneSpan(inField(9, slices.Concat(inField(2, list("a")), inField(1, []byte("k")), inField(2, list("b"))))))[0]
	if v, _ := s.Attr("k"); v.String() != `["a", "b"]` {
		t.Errorf("two values of one key: %v", v)
	}
}

func TestOldScopeSpans(t *testing.T) {
	td := everything()
	want := protobuf(t, []byte(wire(t, td)))
	var old []byte
	for rest := []byte(wire(t, td)); len(rest) > 0; {
		var rs field
		rs, rest, _ = cut(rest)
		var out []byte
		for in := rs.content(); len(in) > 0; {
			var f field
			f, in, _ = cut(in)
			if f.number == 2 {
				out = append(out, inField(1000, f.content())...)
				continue
			}
			out = append(out, f.bytes...)
		}
		old = append(old, inField(1, out)...)
	}
	got := protobuf(t, old)
	if !slices.EqualFunc(got, want, trace.Span.Equal) {
		t.Error("scope_spans under the number of OTLP 0.15 and before differ")
	}
}

// An id of a wrong length is the fault of its span alone.
func TestIDs(t *testing.T) {
	span := func(fields ...[]byte) []byte {
		return inField(2, slices.Concat(append(fields, inField(5, []byte("name")), []byte{7<<3 | 1, 1, 0, 0, 0, 0, 0, 0, 0})...))
	}
	id := func(field protowire.Number, length int) []byte {
		return inField(field, slices.Repeat([]byte{7}, length))
	}
	link := func(fields ...[]byte) []byte { return inField(13, slices.Concat(fields...)) }
	spans := slices.Concat(
		span(id(1, 16), id(2, 8)),
		span(id(1, 15), id(2, 8)), span(id(1, 32), id(2, 8)), span(id(2, 8)), span(inField(1, nil), id(2, 8)), span(inField(1, make([]byte, 16)), id(2, 8)),
		span(id(1, 16), id(2, 7)), span(id(1, 16)), span(id(1, 16), inField(2, make([]byte, 8))),
		span(id(1, 16), id(2, 8), id(4, 9)),
		span(id(1, 16), id(2, 8), link(id(1, 3), id(2, 8))), span(id(1, 16), id(2, 8), link(id(1, 16), id(2, 16))),
		span(id(1, 16), id(2, 8), inField(4, nil), link(), link(id(1, 16), id(2, 8))),
		span(id(1, 1), id(2, 8)),
	)
	var b trace.Builder
	got, err := otlp.NewDecoder(&b, otlp.Limits{}).Protobuf(inField(1, slices.Concat(inField(2, spans), inField(1, stringAttr(1, "service.name", "checkout")))))
	if err != nil {
		t.Fatal(err)
	}
	want := []otlp.Refusal{
		{otlp.WrongTraceID, "checkout", 3}, {otlp.ZeroTraceID, "checkout", 3}, {otlp.WrongSpanID, "checkout", 1}, {otlp.ZeroSpanID, "checkout", 2},
		{otlp.WrongParentID, "checkout", 1}, {otlp.WrongLink, "checkout", 2},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("refusals (-want +got):\n%s", diff)
	}
	if kept := len(b.Commit()); kept != 2 {
		t.Errorf("kept %d spans, want 2", kept)
	}
}

func TestLimits(t *testing.T) {
	attrs := func(n int) []byte { return bytes.Repeat(stringAttr(9, "k", "v"), n) }
	event := inField(11, stringAttr(3, "k", "v"))
	link := inField(13, stringAttr(4, "k", "v"))
	var b trace.Builder
	d := otlp.NewDecoder(&b, otlp.Limits{Nesting: 2, Attributes: 5, Events: 3, Elements: 20})
	for _, c := range []struct {
		name string
		data []byte
		want otlp.Reason // "" if it is kept
	}{
		{"attributes at the limit", oneSpan(attrs(5)), ""},
		{"attributes", oneSpan(attrs(6)), otlp.TooManyAttributes},
		{"attributes of events", oneSpan(attrs(4), event, event), otlp.TooManyAttributes},
		{"attributes of links", oneSpan(attrs(4), link, link), otlp.TooManyAttributes},
		{"events at the limit", oneSpan(bytes.Repeat(inField(11, nil), 3)), ""},
		{"events", oneSpan(bytes.Repeat(inField(11, nil), 4)), otlp.TooManyEvents},
		{"links", oneSpan(bytes.Repeat(inField(13, nil), 4)), otlp.TooManyEvents},
		{"nesting at the limit", request(lists(2)), ""},
	} {
		refusals, err := d.Protobuf(c.data)
		switch spans := len(b.Commit()); {
		case err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want == "" && (spans != 1 || len(refusals) > 0):
			t.Errorf("%s: %d spans kept, %v", c.name, spans, refusals)
		case c.want != "" && (spans != 0 || len(refusals) != 1 || refusals[0].Reason != c.want):
			t.Errorf("%s: %d spans kept, %v, want %q", c.name, spans, refusals, c.want)
		}
	}
	for _, c := range []struct {
		name string
		data []byte
		want otlp.Reason
	}{
		{"nesting", request(lists(3)), otlp.TooDeep},
		{"elements", bytes.Repeat(oneSpan(attrs(3), inField(13, nil)), 6), otlp.TooMany},
		{"attributes of a resource", inField(1, inField(1, bytes.Repeat(stringAttr(1, "k", "v"), 21))), otlp.TooMany},
	} {
		_, err := d.Protobuf(c.data)
		wantReason(t, c.name, err, c.want)
		b.Rollback()
	}
}

// OTLP: unknown fields are ignored; proto3 has nothing but UTF-8 in texts, but
// like the Collector the decoder keeps what was sent.
func TestWhatIsNotOTLP(t *testing.T) {
	future := append(inField(77, []byte("x")), protowire.AppendVarint(protowire.AppendTag(nil, 1<<20, protowire.VarintType), 9)...)
	s := protobuf(t, oneSpan(future, inField(5, []byte("a\xffb")), inField(9, slices.Concat(future, inField(1, []byte("k\xff")), inField(2, slices.Concat(future, inField(1, []byte("\xfe"))))))))[0]
	if v, ok := s.Attr("k\xff"); s.Name() != "a\xffb" || !ok || v.Str() != "\xfe" {
		t.Errorf("name %q, attribute %q", s.Name(), v.Str())
	}
}
