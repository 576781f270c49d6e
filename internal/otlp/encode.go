package otlp

import (
	"encoding/binary"
	"iter"
	"math"
	"slices"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/followspan/followspan/trace"
)

// Encode returns the spans as pdata, neighbours of one resource and scope under
// one heading. It goes through the wire format, since pdata's maps cannot be given
// a key twice.
func Encode(spans []trace.Span) ptrace.Traces {
	td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(Append(nil, spans))
	if err != nil {
		panic("otlp: own encoding does not decode: " + err.Error())
	}
	return td
}

// Append appends the spans to b as an ExportTraceServiceRequest in protobuf,
// neighbours of one resource and scope under one heading.
func Append(b []byte, spans []trace.Span) []byte {
	for len(spans) > 0 {
		n := run(spans, func(a, b trace.Span) bool { return a.Resource().Equal(b.Resource()) })
		b = message(b, 1, func(b []byte) []byte { return appendResourceSpans(b, spans[:n]) })
		spans = spans[n:]
	}
	return b
}

// run is how many spans at the start are the same as the first.
func run(spans []trace.Span, same func(a, b trace.Span) bool) int {
	n := slices.IndexFunc(spans, func(s trace.Span) bool { return !same(spans[0], s) })
	if n < 0 {
		return len(spans)
	}
	return n
}

func appendResourceSpans(b []byte, spans []trace.Span) []byte {
	r := spans[0].Resource()
	b = message(b, 1, func(b []byte) []byte {
		b = attributes(b, 1, r.Attrs())
		return number(b, 2, uint64(r.Dropped()))
	})
	for rest := spans; len(rest) > 0; {
		n := run(rest, func(a, b trace.Span) bool { return a.Scope().Equal(b.Scope()) })
		group := rest[:n]
		b = message(b, 2, func(b []byte) []byte { return appendScopeSpans(b, group) })
		rest = rest[n:]
	}
	return text(b, 3, r.SchemaURL())
}

func appendScopeSpans(b []byte, spans []trace.Span) []byte {
	s := spans[0].Scope()
	b = message(b, 1, func(b []byte) []byte {
		b = text(b, 1, s.Name())
		b = text(b, 2, s.Version())
		b = attributes(b, 3, s.Attrs())
		return number(b, 4, uint64(s.Dropped()))
	})
	for _, span := range spans {
		b = message(b, 2, func(b []byte) []byte { return appendSpan(b, span) })
	}
	return text(b, 3, s.SchemaURL())
}

func appendSpan(b []byte, s trace.Span) []byte {
	traceID, id, parent := s.TraceID(), s.ID(), s.ParentID()
	attrs, events, links := s.Dropped()
	b = content(b, 1, traceID[:])
	b = content(b, 2, id[:])
	b = text(b, 3, s.TraceState())
	if !parent.IsZero() {
		b = content(b, 4, parent[:])
	}
	b = text(b, 5, s.Name())
	b = number(b, 6, uint64(s.Kind()))
	b = fixed64(b, 7, uint64(s.Start()))
	b = fixed64(b, 8, uint64(s.End()))
	b = attributes(b, 9, s.Attrs())
	b = number(b, 10, uint64(attrs))
	for e := range s.Events() {
		b = message(b, 11, func(b []byte) []byte { return appendEvent(b, e) })
	}
	b = number(b, 12, uint64(events))
	for l := range s.Links() {
		b = message(b, 13, func(b []byte) []byte { return appendLink(b, l) })
	}
	b = number(b, 14, uint64(links))
	b = message(b, 15, func(b []byte) []byte {
		return number(text(b, 2, s.StatusMessage()), 3, uint64(s.Status()))
	})
	return fixed32(b, 16, s.Flags())
}

func appendEvent(b []byte, e trace.Event) []byte {
	b = fixed64(b, 1, uint64(e.Time()))
	b = text(b, 2, e.Name())
	b = attributes(b, 3, e.Attrs())
	return number(b, 4, uint64(e.Dropped()))
}

func appendLink(b []byte, l trace.Link) []byte {
	traceID, id := l.TraceID(), l.SpanID()
	b = content(b, 1, traceID[:])
	b = content(b, 2, id[:])
	b = text(b, 3, l.TraceState())
	b = attributes(b, 4, l.Attrs())
	b = number(b, 5, uint64(l.Dropped()))
	return fixed32(b, 6, l.Flags())
}

func attributes(b []byte, field protowire.Number, attrs iter.Seq2[string, trace.Value]) []byte {
	for key, v := range attrs {
		b = message(b, field, func(b []byte) []byte {
			b = text(b, 1, key)
			return message(b, 2, func(b []byte) []byte { return appendValue(b, v) })
		})
	}
	return b
}

// appendValue writes the member of the oneof even if it is the default: an empty
// string is not the same as no value.
func appendValue(b []byte, v trace.Value) []byte {
	switch v.Kind() {
	case trace.String:
		return protowire.AppendString(protowire.AppendTag(b, 1, protowire.BytesType), v.Str())
	case trace.Bool:
		return protowire.AppendVarint(protowire.AppendTag(b, 2, protowire.VarintType), protowire.EncodeBool(v.Bool()))
	case trace.Int:
		return protowire.AppendVarint(protowire.AppendTag(b, 3, protowire.VarintType), uint64(v.Int()))
	case trace.Double:
		return protowire.AppendFixed64(protowire.AppendTag(b, 4, protowire.Fixed64Type), math.Float64bits(v.Double()))
	case trace.List:
		return message(b, 5, func(b []byte) []byte {
			for e := range v.Elems() {
				b = message(b, 1, func(b []byte) []byte { return appendValue(b, e) })
			}
			return b
		})
	case trace.Map:
		return message(b, 6, func(b []byte) []byte { return attributes(b, 1, v.Fields()) })
	case trace.Bytes:
		return protowire.AppendString(protowire.AppendTag(b, 7, protowire.BytesType), v.Str())
	}
	return b
}

// message appends a field that holds what body appends, moving it to make room
// for its length.
func message(b []byte, field protowire.Number, body func([]byte) []byte) []byte {
	b = protowire.AppendTag(b, field, protowire.BytesType)
	start := len(b)
	b = body(b)
	var length [binary.MaxVarintLen64]byte
	n := binary.PutUvarint(length[:], uint64(len(b)-start))
	return slices.Insert(b, start, length[:n]...)
}

func text(b []byte, field protowire.Number, s string) []byte {
	if s == "" {
		return b
	}
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), s)
}

func content(b []byte, field protowire.Number, c []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), c)
}

func number(b []byte, field protowire.Number, n uint64) []byte {
	if n == 0 {
		return b
	}
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), n)
}

func fixed64(b []byte, field protowire.Number, n uint64) []byte {
	if n == 0 {
		return b
	}
	return protowire.AppendFixed64(protowire.AppendTag(b, field, protowire.Fixed64Type), n)
}

func fixed32(b []byte, field protowire.Number, n uint32) []byte {
	if n == 0 {
		return b
	}
	return protowire.AppendFixed32(protowire.AppendTag(b, field, protowire.Fixed32Type), n)
}
