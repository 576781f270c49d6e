package otlp_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/followspan/followspan/internal/otlp"
	"github.com/followspan/followspan/trace"
)

// everything has every field of every message, and every kind of value.
func everything() ptrace.Traces {
	td := ptrace.NewTraces()
	for _, service := range []string{"checkout", "payment"} {
		rs := td.ResourceSpans().AppendEmpty()
		rs.SetSchemaUrl("https://opentelemetry.io/schemas/1.43.0")
		rs.Resource().SetDroppedAttributesCount(1)
		rs.Resource().Attributes().PutStr("service.name", service)
		kinds(rs.Resource().Attributes())
		for _, scope := range []string{"otelhttp", "otelgrpc"} {
			ss := rs.ScopeSpans().AppendEmpty()
			ss.SetSchemaUrl("https://opentelemetry.io/schemas/1.42.0")
			ss.Scope().SetName(scope)
			ss.Scope().SetVersion("0.1.0")
			ss.Scope().SetDroppedAttributesCount(2)
			kinds(ss.Scope().Attributes())
			for i := range 3 {
				fill(ss.Spans().AppendEmpty(), byte(i+1))
			}
		}
	}
	return td
}

func fill(s ptrace.Span, n byte) {
	s.SetTraceID([16]byte{n, 1})
	s.SetSpanID([8]byte{n, 2})
	s.SetParentSpanID([8]byte{n, 3})
	s.TraceState().FromRaw("vendor=1,other=2")
	s.SetFlags(0x301)
	s.SetName("POST /order")
	s.SetKind(ptrace.SpanKind(n))
	s.SetStartTimestamp(math.MaxUint64 - 1)
	s.SetEndTimestamp(pcommon.Timestamp(n))
	s.Status().SetCode(ptrace.StatusCode(n % 3))
	s.Status().SetMessage("card declined")
	s.SetDroppedAttributesCount(3)
	s.SetDroppedEventsCount(4)
	s.SetDroppedLinksCount(math.MaxUint32)
	kinds(s.Attributes())
	for range n {
		e := s.Events().AppendEmpty()
		e.SetName("exception")
		e.SetTimestamp(1_700_000_000_000_000_001)
		e.SetDroppedAttributesCount(5)
		kinds(e.Attributes())
		l := s.Links().AppendEmpty()
		l.SetTraceID([16]byte{n, 4})
		l.SetSpanID([8]byte{n, 5})
		l.TraceState().FromRaw("vendor=3")
		l.SetFlags(1)
		l.SetDroppedAttributesCount(6)
		kinds(l.Attributes())
	}
}

func kinds(m pcommon.Map) {
	m.PutEmpty("empty")
	m.PutStr("string", "größer")
	m.PutStr("no string", "")
	m.PutStr("not UTF-8", "\xff\x00")
	m.PutBool("true", true)
	m.PutBool("false", false)
	m.PutInt("int", math.MinInt64)
	m.PutInt("zero", 0)
	m.PutDouble("double", math.SmallestNonzeroFloat64)
	m.PutDouble("NaN", math.NaN())
	m.PutDouble("infinite", math.Inf(-1))
	m.PutDouble("minus zero", math.Copysign(0, -1))
	m.PutEmptyBytes("bytes").FromRaw([]byte{0, 0xff, 10})
	m.PutEmptyBytes("no bytes")
	m.PutEmptySlice("no list")
	m.PutEmptyMap("no map")
	list := m.PutEmptySlice("list")
	list.AppendEmpty()
	list.AppendEmpty().SetStr("a")
	list.AppendEmpty().SetEmptySlice().AppendEmpty().SetEmptyMap().PutInt("deep", 1)
	fields := m.PutEmptyMap("map")
	fields.PutStr("a", "b")
	fields.PutEmptyMap("inner").PutDouble("c", 1.5)
	m.PutStr("", "no key")
}

func decode(t testing.TB, td ptrace.Traces) []trace.Span {
	t.Helper()
	return protobuf(t, []byte(wire(t, td)))
}

// protobuf decodes a request of which nothing is refused.
func protobuf(t testing.TB, data []byte) []trace.Span {
	t.Helper()
	var b trace.Builder
	if refused, err := otlp.NewDecoder(&b, otlp.Limits{}).Protobuf(data); len(refused) > 0 || err != nil {
		t.Fatalf("refused: %v, %v", refused, err)
	}
	return b.Commit()
}

// wire is how pdata writes td, which compares every bit of it.
func wire(t testing.TB, td ptrace.Traces) string {
	t.Helper()
	b, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func text(t testing.TB, td ptrace.Traces) string {
	t.Helper()
	b, err := (&ptrace.JSONMarshaler{}).MarshalTraces(td)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(b), `,"`, ",\n\"")
}

func TestRoundTrip(t *testing.T) {
	in := everything()
	out := otlp.Encode(decode(t, in))
	if wire(t, in) != wire(t, out) {
		t.Errorf("Encode(Decode(td)) differs (-want +got):\n%s", cmp.Diff(text(t, in), text(t, out)))
	}
}

// The scratch memory of one request must not show in the next.
func TestDecoderIsReusable(t *testing.T) {
	var b trace.Builder
	d := otlp.NewDecoder(&b, otlp.Limits{})
	decode := func(td ptrace.Traces) []trace.Span {
		if refused, err := d.Traces(td); len(refused) > 0 || err != nil {
			t.Fatalf("refused: %v, %v", refused, err)
		}
		return b.Commit()
	}
	full := decode(everything())
	bare := ptrace.NewTraces()
	s := bare.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	s.SetTraceID([16]byte{1})
	s.SetSpanID([8]byte{1})
	if got, want := wire(t, otlp.Encode(decode(bare))), wire(t, bare); got != want {
		t.Errorf("a bare span after full ones: got %q, want %q", got, want)
	}
	if got, want := wire(t, otlp.Encode(full)), wire(t, everything()); got != want {
		t.Error("earlier spans have changed")
	}
}

func TestDuplicateKeysAreKept(t *testing.T) {
	const in = `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"01000000000000000000000000000000","spanId":"0100000000000000",
		"attributes":[{"key":"a","value":{"intValue":1}},{"key":"a","value":{"stringValue":"2"}},
		{"key":"m","value":{"kvlistValue":{"values":[{"key":"b"},{"key":"b","value":{"boolValue":true}}]}}}]}]}]}]}`
	td, err := otlp.UnmarshalJSON([]byte(in))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := wire(t, otlp.Encode(decode(t, td))), wire(t, td); got != want {
		t.Errorf("Encode(Decode(td)) = %q, want %q", got, want)
	}
}

func TestUnknownEnumNumbers(t *testing.T) {
	td := ptrace.NewTraces()
	s := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	fill(s, 1)
	s.SetKind(200)
	s.Status().SetCode(-5)
	got := decode(t, td)[0]
	if got.Kind() != 200 || got.Status() != trace.Unset {
		t.Errorf("kind %d, status %d; want 200 kept and a negative one to be 0", got.Kind(), got.Status())
	}
}

// OTLP 1.x: "trace_id … An ID with all bytes equal to zero is considered invalid".
func TestZeroIDsAreRefusedAlone(t *testing.T) {
	td := everything()
	spans := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans()
	spans.At(0).SetTraceID(pcommon.TraceID{})
	spans.At(1).SetSpanID(pcommon.SpanID{})
	td.ResourceSpans().At(1).ScopeSpans().At(0).Spans().At(2).SetSpanID(pcommon.SpanID{})
	var b trace.Builder
	got, err := otlp.NewDecoder(&b, otlp.Limits{}).Traces(td)
	if err != nil {
		t.Fatal(err)
	}
	want := []otlp.Refusal{{otlp.ZeroTraceID, "checkout", 1}, {otlp.ZeroSpanID, "checkout", 1}, {otlp.ZeroSpanID, "payment", 1}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("refusals (-want +got):\n%s", diff)
	}
	if kept := len(b.Commit()); kept != 9 {
		t.Errorf("kept %d spans, want 9", kept)
	}
}
