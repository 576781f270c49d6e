package otlp

import (
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/followspan/followspan/trace"
)

// serviceName is the attribute that names a resource's service.
const serviceName = "service.name"

// Decoder writes requests into a Builder. It is used by one goroutine at a time
// and keeps its scratch memory between requests. The caller commits the Builder
// after a request that was decoded and rolls it back after an error.
type Decoder struct {
	b        *trace.Builder
	span     trace.SpanData
	attrs    []trace.Attr // of resources and scopes
	refusals []Refusal
}

// NewDecoder returns a Decoder that writes into b.
func NewDecoder(b *trace.Builder) *Decoder { return &Decoder{b: b} }

// Protobuf decodes an ExportTraceServiceRequest. Spans that cannot be kept are
// left out and returned; an error, always an [*Error], refuses the whole request.
func (d *Decoder) Protobuf(data []byte) ([]Refusal, error) {
	td, err := Unmarshal(data)
	if err != nil {
		return nil, err
	}
	return d.Traces(td), nil
}

// JSON is Protobuf for the JSON encoding.
func (d *Decoder) JSON(data []byte) ([]Refusal, error) {
	td, err := UnmarshalJSON(data)
	if err != nil {
		return nil, err
	}
	return d.Traces(td), nil
}

// Traces writes td, and returns the spans that it left out: OTLP makes an id that
// is all zero invalid. It only reads td and keeps nothing of it.
func (d *Decoder) Traces(td ptrace.Traces) []Refusal {
	d.refusals = nil
	for _, rs := range td.ResourceSpans().All() {
		d.b.SetResource(d.resource(rs))
		for _, ss := range rs.ScopeSpans().All() {
			d.b.SetScope(d.scope(ss))
			for _, s := range ss.Spans().All() {
				if reason := invalid(s); reason != "" {
					d.refuse(reason, rs.Resource().Attributes())
					continue
				}
				d.fill(s)
				d.b.Add(&d.span)
			}
		}
	}
	return d.refusals
}

func invalid(s ptrace.Span) Reason {
	switch {
	case s.TraceID().IsEmpty():
		return ZeroTraceID
	case s.SpanID().IsEmpty():
		return ZeroSpanID
	}
	return ""
}

func (d *Decoder) refuse(reason Reason, resource pcommon.Map) {
	name := ""
	if v, ok := resource.Get(serviceName); ok {
		name = v.AsString()
	}
	if n := len(d.refusals); n > 0 && d.refusals[n-1].Reason == reason && d.refusals[n-1].Service == name {
		d.refusals[n-1].Spans++
		return
	}
	d.refusals = append(d.refusals, Refusal{reason, name, 1})
}

func (d *Decoder) resource(rs ptrace.ResourceSpans) trace.ResourceData {
	d.attrs = appendAttrs(d.attrs[:0], rs.Resource().Attributes())
	return trace.ResourceData{Attrs: d.attrs, Dropped: rs.Resource().DroppedAttributesCount(), SchemaURL: rs.SchemaUrl()}
}

func (d *Decoder) scope(ss ptrace.ScopeSpans) trace.ScopeData {
	s := ss.Scope()
	d.attrs = appendAttrs(d.attrs[:0], s.Attributes())
	return trace.ScopeData{
		Name: s.Name(), Version: s.Version(), Attrs: d.attrs,
		Dropped: s.DroppedAttributesCount(), SchemaURL: ss.SchemaUrl(),
	}
}

// fill describes s in d.span, reusing its slices.
func (d *Decoder) fill(s ptrace.Span) {
	old := &d.span
	d.span = trace.SpanData{
		TraceID: trace.TraceID(s.TraceID()), ID: trace.SpanID(s.SpanID()), Parent: trace.SpanID(s.ParentSpanID()),
		Name: s.Name(), Kind: trace.Kind(small(int32(s.Kind()))),
		Start: trace.Time(s.StartTimestamp()), End: trace.Time(s.EndTimestamp()),
		Status: trace.Status(small(int32(s.Status().Code()))), StatusMessage: s.Status().Message(),
		TraceState: s.TraceState().AsRaw(), Flags: s.Flags(),
		Attrs:        appendAttrs(old.Attrs[:0], s.Attributes()),
		Events:       appendEvents(old.Events[:0], s.Events()),
		Links:        appendLinks(old.Links[:0], s.Links()),
		DroppedAttrs: s.DroppedAttributesCount(), DroppedEvents: s.DroppedEventsCount(), DroppedLinks: s.DroppedLinksCount(),
	}
}

// small keeps the number of an enum; one beyond a byte counts as unspecified.
func small(n int32) uint8 {
	if n < 0 || n > math.MaxUint8 {
		return 0
	}
	return uint8(n)
}

func appendEvents(to []trace.EventData, events ptrace.SpanEventSlice) []trace.EventData {
	for i, e := range events.All() {
		attrs := scratch(to, i).Attrs[:0]
		to = append(to, trace.EventData{
			Name: e.Name(), Time: trace.Time(e.Timestamp()),
			Attrs: appendAttrs(attrs, e.Attributes()), Dropped: e.DroppedAttributesCount(),
		})
	}
	return to
}

func appendLinks(to []trace.LinkData, links ptrace.SpanLinkSlice) []trace.LinkData {
	for i, l := range links.All() {
		attrs := scratch(to, i).Attrs[:0]
		to = append(to, trace.LinkData{
			TraceID: trace.TraceID(l.TraceID()), SpanID: trace.SpanID(l.SpanID()),
			TraceState: l.TraceState().AsRaw(), Flags: l.Flags(),
			Attrs: appendAttrs(attrs, l.Attributes()), Dropped: l.DroppedAttributesCount(),
		})
	}
	return to
}

// scratch is what an earlier span left in place i, whose slices may be reused.
func scratch[T any](s []T, i int) (old T) {
	if i < cap(s) {
		old = s[:cap(s)][i]
	}
	return old
}

func appendAttrs(to []trace.Attr, attrs pcommon.Map) []trace.Attr {
	for key, v := range attrs.All() {
		to = append(to, trace.Attr{Key: key, Value: value(v, trace.MaxValueDepth)})
	}
	return to
}

// value converts v. Depth is how deep lists and maps may still nest: cutting from
// the outside in keeps all that lies above the limit.
func value(v pcommon.Value, depth int) trace.Value {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return trace.StringValue(v.Str())
	case pcommon.ValueTypeBool:
		return trace.BoolValue(v.Bool())
	case pcommon.ValueTypeInt:
		return trace.IntValue(v.Int())
	case pcommon.ValueTypeDouble:
		return trace.DoubleValue(v.Double())
	case pcommon.ValueTypeBytes:
		return trace.BytesValue(v.Bytes().AsRaw())
	case pcommon.ValueTypeSlice:
		if depth > 0 {
			return list(v.Slice(), depth-1)
		}
	case pcommon.ValueTypeMap:
		if depth > 0 {
			return fields(v.Map(), depth-1)
		}
	}
	return trace.EmptyValue()
}

func list(s pcommon.Slice, depth int) trace.Value {
	elems := make([]trace.Value, 0, s.Len())
	for _, e := range s.All() {
		elems = append(elems, value(e, depth))
	}
	return trace.ListValue(elems...)
}

func fields(m pcommon.Map, depth int) trace.Value {
	attrs := make([]trace.Attr, 0, m.Len())
	for key, v := range m.All() {
		attrs = append(attrs, trace.Attr{Key: key, Value: value(v, depth)})
	}
	return trace.MapValue(attrs...)
}
