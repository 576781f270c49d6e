package otlp_test

import (
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/followspan/followspan/internal/otlp"
	"github.com/followspan/followspan/trace"
)

// difference compares every field of what pdata decoded with what the decoder
// kept of the same request, and names the first that differs. Spans whose ids are
// zero must be missing.
func difference(td ptrace.Traces, got []trace.Span) string {
	for i, rs := range td.ResourceSpans().All() {
		for j, ss := range rs.ScopeSpans().All() {
			for k, want := range ss.Spans().All() {
				if want.TraceID().IsEmpty() || want.SpanID().IsEmpty() {
					continue
				}
				if len(got) == 0 {
					return "spans are missing"
				}
				if d := spanDifference(rs, ss, want, got[0]); d != "" {
					return fmt.Sprintf("resource %d, scope %d, span %d: %s", i, j, k, d)
				}
				got = got[1:]
			}
		}
	}
	if len(got) > 0 {
		return fmt.Sprint("spans that pdata does not have: ", len(got))
	}
	return ""
}

// differ collects what differs.
type differ []string

func compare[T comparable](d *differ, what string, want, got T) {
	if want != got {
		*d = append(*d, fmt.Sprintf("%s is %v, want %v", what, got, want))
	}
}

func spanDifference(rs ptrace.ResourceSpans, ss ptrace.ScopeSpans, want ptrace.Span, got trace.Span) string {
	var d differ
	r, s := got.Resource(), got.Scope()
	compareAttrs(&d, "resource", rs.Resource().Attributes(), r.Attrs())
	compare(&d, "resource dropped", rs.Resource().DroppedAttributesCount(), r.Dropped())
	compare(&d, "resource schema", rs.SchemaUrl(), r.SchemaURL())
	compare(&d, "scope name", ss.Scope().Name(), s.Name())
	compare(&d, "scope version", ss.Scope().Version(), s.Version())
	compareAttrs(&d, "scope", ss.Scope().Attributes(), s.Attrs())
	compare(&d, "scope dropped", ss.Scope().DroppedAttributesCount(), s.Dropped())
	compare(&d, "scope schema", ss.SchemaUrl(), s.SchemaURL())

	compare(&d, "trace id", trace.TraceID(want.TraceID()), got.TraceID())
	compare(&d, "span id", trace.SpanID(want.SpanID()), got.ID())
	compare(&d, "parent", trace.SpanID(want.ParentSpanID()), got.ParentID())
	compare(&d, "trace state", want.TraceState().AsRaw(), got.TraceState())
	compare(&d, "flags", want.Flags(), got.Flags())
	compare(&d, "name", want.Name(), got.Name())
	compare(&d, "kind", enum(int32(want.Kind())), int(got.Kind()))
	compare(&d, "start", uint64(want.StartTimestamp()), uint64(got.Start()))
	compare(&d, "end", uint64(want.EndTimestamp()), uint64(got.End()))
	compare(&d, "status", enum(int32(want.Status().Code())), int(got.Status()))
	compare(&d, "status message", want.Status().Message(), got.StatusMessage())
	compareAttrs(&d, "span", want.Attributes(), got.Attrs())
	attrs, events, links := got.Dropped()
	compare(&d, "dropped attributes", want.DroppedAttributesCount(), attrs)
	compare(&d, "dropped events", want.DroppedEventsCount(), events)
	compare(&d, "dropped links", want.DroppedLinksCount(), links)
	compareEvents(&d, want.Events(), slices.Collect(got.Events()))
	compareLinks(&d, want.Links(), slices.Collect(got.Links()))
	return strings.Join(d, "; ")
}

// enum is the number that is kept of an enum.
func enum(n int32) int {
	if n < 0 || n > math.MaxUint8 {
		return 0
	}
	return int(n)
}

func compareEvents(d *differ, want ptrace.SpanEventSlice, got []trace.Event) {
	compare(d, "events", want.Len(), len(got))
	for i := range min(want.Len(), len(got)) {
		w, g := want.At(i), got[i]
		compare(d, "event time", uint64(w.Timestamp()), uint64(g.Time()))
		compare(d, "event name", w.Name(), g.Name())
		compare(d, "event dropped", w.DroppedAttributesCount(), g.Dropped())
		compareAttrs(d, "event", w.Attributes(), g.Attrs())
	}
}

func compareLinks(d *differ, want ptrace.SpanLinkSlice, got []trace.Link) {
	compare(d, "links", want.Len(), len(got))
	for i := range min(want.Len(), len(got)) {
		w, g := want.At(i), got[i]
		compare(d, "link trace id", trace.TraceID(w.TraceID()), g.TraceID())
		compare(d, "link span id", trace.SpanID(w.SpanID()), g.SpanID())
		compare(d, "link trace state", w.TraceState().AsRaw(), g.TraceState())
		compare(d, "link flags", w.Flags(), g.Flags())
		compare(d, "link dropped", w.DroppedAttributesCount(), g.Dropped())
		compareAttrs(d, "link", w.Attributes(), g.Attrs())
	}
}

func compareAttrs(d *differ, of string, want pcommon.Map, got iter.Seq2[string, trace.Value]) {
	var attrs []trace.Attr
	for key, v := range got {
		attrs = append(attrs, trace.Attr{Key: key, Value: v})
	}
	compare(d, of+" attributes", want.Len(), len(attrs))
	i := 0
	for key, v := range want.All() {
		if i == len(attrs) {
			return
		}
		compare(d, of+" key", key, attrs[i].Key)
		compareValue(d, of+" "+key, v, attrs[i].Value)
		i++
	}
}

func compareValue(d *differ, of string, want pcommon.Value, got trace.Value) {
	kinds := map[pcommon.ValueType]trace.ValueKind{
		pcommon.ValueTypeEmpty: trace.Empty, pcommon.ValueTypeStr: trace.String, pcommon.ValueTypeBool: trace.Bool,
		pcommon.ValueTypeInt: trace.Int, pcommon.ValueTypeDouble: trace.Double, pcommon.ValueTypeBytes: trace.Bytes,
		pcommon.ValueTypeSlice: trace.List, pcommon.ValueTypeMap: trace.Map,
	}
	compare(d, "kind of "+of, kinds[want.Type()], got.Kind())
	if kinds[want.Type()] != got.Kind() {
		return
	}
	switch got.Kind() {
	case trace.String:
		compare(d, of, want.Str(), got.Str())
	case trace.Bool:
		compare(d, of, want.Bool(), got.Bool())
	case trace.Int:
		compare(d, of, want.Int(), got.Int())
	case trace.Double:
		compare(d, of, math.Float64bits(want.Double()), math.Float64bits(got.Double()))
	case trace.Bytes:
		compare(d, of, string(want.Bytes().AsRaw()), got.Str())
	case trace.List:
		elems := slices.Collect(got.Elems())
		compare(d, "length of "+of, want.Slice().Len(), len(elems))
		for i := range min(want.Slice().Len(), len(elems)) {
			compareValue(d, of, want.Slice().At(i), elems[i])
		}
	case trace.Map:
		compareAttrs(d, of, want.Map(), got.Fields())
	}
}

// maker makes up requests with everything that OTLP has.
type maker struct{ *rand.Rand }

func (m maker) text() string {
	texts := []string{"", "a", "b", "größer", "\xff\x00", strings.Repeat("long ", 60), strings.Repeat("longest ", 3000)}
	return texts[min(m.IntN(len(texts)), m.IntN(len(texts)))]
}

func (m maker) number() uint64 {
	return []uint64{0, 1, 127, 128, 1 << 31, 1 << 32, math.MaxInt64, math.MaxUint64, m.Uint64()}[m.IntN(9)]
}

func (m maker) id(b []byte) {
	if m.IntN(20) > 0 {
		b[m.IntN(len(b))] = byte(m.IntN(256))
	}
}

func (m maker) value(v pcommon.Value, depth int) {
	switch n := m.IntN(10); {
	case n == 0:
	case n == 1:
		v.SetBool(m.IntN(2) == 0)
	case n == 2:
		v.SetInt(int64(m.number()))
	case n == 3:
		v.SetDouble(math.Float64frombits(m.number()))
	case n == 4:
		v.SetEmptyBytes().FromRaw([]byte(m.text()))
	case n == 5 && depth > 0:
		list := v.SetEmptySlice()
		for range m.IntN(4) {
			m.value(list.AppendEmpty(), depth-1)
		}
	case n == 6 && depth > 0:
		m.attrs(v.SetEmptyMap(), depth-1)
	default:
		v.SetStr(m.text())
	}
}

func (m maker) attrs(to pcommon.Map, depth int) {
	for range m.IntN(5) {
		m.value(to.PutEmpty(m.text()), depth)
	}
}

func (m maker) traces() ptrace.Traces {
	td := ptrace.NewTraces()
	for range m.IntN(3) {
		rs := td.ResourceSpans().AppendEmpty()
		rs.SetSchemaUrl(m.text())
		rs.Resource().SetDroppedAttributesCount(uint32(m.number()))
		m.attrs(rs.Resource().Attributes(), 2)
		for range m.IntN(3) {
			ss := rs.ScopeSpans().AppendEmpty()
			ss.SetSchemaUrl(m.text())
			ss.Scope().SetName(m.text())
			ss.Scope().SetVersion(m.text())
			ss.Scope().SetDroppedAttributesCount(uint32(m.number()))
			m.attrs(ss.Scope().Attributes(), 2)
			for range m.IntN(4) {
				m.span(ss.Spans().AppendEmpty())
			}
		}
	}
	return td
}

func (m maker) span(s ptrace.Span) {
	var id [16]byte
	m.id(id[:])
	s.SetTraceID(id)
	m.id(id[:8])
	s.SetSpanID([8]byte(id[:8]))
	m.id(id[8:])
	s.SetParentSpanID([8]byte(id[8:]))
	s.TraceState().FromRaw(m.text())
	s.SetFlags(uint32(m.number()))
	s.SetName(m.text())
	s.SetKind(ptrace.SpanKind(int32(m.number())))
	s.SetStartTimestamp(pcommon.Timestamp(m.number()))
	s.SetEndTimestamp(pcommon.Timestamp(m.number()))
	s.Status().SetCode(ptrace.StatusCode(int32(m.number())))
	s.Status().SetMessage(m.text())
	s.SetDroppedAttributesCount(uint32(m.number()))
	s.SetDroppedEventsCount(uint32(m.number()))
	s.SetDroppedLinksCount(uint32(m.number()))
	m.attrs(s.Attributes(), 3)
	for range m.IntN(3) {
		e := s.Events().AppendEmpty()
		e.SetName(m.text())
		e.SetTimestamp(pcommon.Timestamp(m.number()))
		e.SetDroppedAttributesCount(uint32(m.number()))
		m.attrs(e.Attributes(), 1)
		l := s.Links().AppendEmpty()
		m.id(id[:])
		l.SetTraceID(id)
		l.SetSpanID([8]byte(id[:8]))
		l.TraceState().FromRaw(m.text())
		l.SetFlags(uint32(m.number()))
		l.SetDroppedAttributesCount(uint32(m.number()))
		m.attrs(l.Attributes(), 1)
	}
}

// One decoder reads all requests, so that nothing of one may show in the next.
func TestAgreesWithPdata(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var b trace.Builder
	d := otlp.NewDecoder(&b, otlp.Limits{})
	for i := range 3000 {
		td := maker{r}.traces()
		plain := []byte(wire(t, td))
		for how, data := range map[string][]byte{"plain": plain, "scrambled": scramble(r, plain, requestLevel)} {
			if _, err := d.Protobuf(data); err != nil {
				t.Fatalf("request %d, %s: %v", i, how, err)
			}
			if diff := difference(td, b.Commit()); diff != "" {
				t.Fatalf("request %d, %s: %s\n%q", i, how, diff, data)
			}
		}
	}
}
