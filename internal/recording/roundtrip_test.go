package recording

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/followspan/followspan/internal/otlp"
	"github.com/followspan/followspan/trace"
)

// randomSpans makes spans with all that a span can hold.
func randomSpans(r *rand.Rand, n int) []trace.Span {
	g := generator{r}
	var w trace.Builder
	for range n {
		if r.IntN(3) == 0 {
			w.SetResource(trace.ResourceData{Attrs: g.attrs(), Dropped: g.small(), SchemaURL: g.text()})
		}
		if r.IntN(3) == 0 {
			w.SetScope(trace.ScopeData{Name: g.text(), Version: g.text(), Attrs: g.attrs(), Dropped: g.small(), SchemaURL: g.text()})
		}
		w.Add(g.span())
	}
	return w.Commit()
}

type generator struct{ *rand.Rand }

func (g generator) span() *trace.SpanData {
	s := &trace.SpanData{
		TraceID: g.traceID(), ID: g.spanID(), Name: g.text(), Kind: trace.Kind(g.IntN(7)),
		Start: trace.Time(g.Uint64()), End: trace.Time(g.Uint64()), Status: trace.Status(g.IntN(3)), StatusMessage: g.text(),
		TraceState: g.text(), Flags: g.small(), Attrs: g.attrs(), DroppedAttrs: g.small(), DroppedEvents: g.small(), DroppedLinks: g.small(),
	}
	if g.IntN(2) == 0 {
		s.Parent = g.spanID()
	}
	for range g.IntN(3) {
		s.Events = append(s.Events, trace.EventData{Name: g.text(), Time: trace.Time(g.Uint64()), Attrs: g.attrs(), Dropped: g.small()})
		s.Links = append(s.Links, trace.LinkData{TraceID: g.traceID(), SpanID: g.spanID(), TraceState: g.text(), Attrs: g.attrs(), Flags: g.small(), Dropped: g.small()})
	}
	return s
}

func (g generator) traceID() (id trace.TraceID) {
	id[0], id[15] = byte(1+g.IntN(255)), byte(g.IntN(256))
	return id
}

func (g generator) spanID() (id trace.SpanID) {
	id[0], id[7] = byte(1+g.IntN(255)), byte(g.IntN(256))
	return id
}

// small is often zero.
func (g generator) small() uint32 {
	return []uint32{0, 0, 1, 0x301, math.MaxUint32}[g.IntN(5)]
}

func (g generator) text() string {
	return []string{"", "a", "größer", "\"\\\n\x00\u2028/", "</script>", "a somewhat longer text"}[g.IntN(6)]
}

func (g generator) attrs() (attrs []trace.Attr) {
	for range g.IntN(4) {
		attrs = append(attrs, trace.Attr{Key: fmt.Sprint("k", g.IntN(5)), Value: g.value(3)})
	}
	return attrs
}

func (g generator) value(depth int) trace.Value {
	switch g.IntN(9) {
	case 0:
		return trace.EmptyValue()
	case 1:
		return trace.BoolValue(g.IntN(2) == 0)
	case 2:
		return trace.IntValue(int64(g.Uint64()))
	case 3:
		return trace.DoubleValue([]float64{0, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.Inf(-1), math.SmallestNonzeroFloat64, math.MaxFloat64, 0.1, g.Float64()}[g.IntN(9)])
	case 4:
		return trace.BytesValue([]byte{byte(g.IntN(256)), 0xff}[:g.IntN(3)])
	case 5:
		if depth > 0 {
			return trace.ListValue([]trace.Value{g.value(depth - 1), g.value(depth - 1)}[:g.IntN(3)]...)
		}
	case 6:
		if depth > 0 {
			return trace.MapValue([]trace.Attr{{Key: g.text(), Value: g.value(depth - 1)}, {Key: g.text(), Value: g.value(depth - 1)}}[:g.IntN(3)]...)
		}
	}
	return trace.StringValue(g.text())
}

// What is written in any of OTLP's layouts comes back the same.
func TestRoundTrip(t *testing.T) {
	layouts := map[string]func([]trace.Span) []byte{
		"JSON":                  asJSON,
		"JSON over many lines":  func(s []trace.Span) []byte { return bytes.ReplaceAll(asJSON(s), []byte(`":[`), []byte("\":\n[ ")) },
		"JSON in gzip":          func(s []trace.Span) []byte { return gzipped(string(asJSON(s))) },
		"protobuf":              func(s []trace.Span) []byte { return otlp.Append(nil, s) },
		"protobuf in zstd":      func(s []trace.Span) []byte { return zstded(string(otlp.Append(nil, s))) },
		"protobuf with lengths": func(s []trace.Span) []byte { return []byte(frame(string(otlp.Append(nil, s)))) },
		"JSON in zstd with lengths": func(s []trace.Span) []byte {
			return []byte(frame(string(zstded(string(asJSON(s))))))
		},
	}
	for name, write := range layouts {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(60) {
				r := rand.New(rand.NewPCG(seed, 1))
				in := randomSpans(r, 1+r.IntN(20))
				content := write(in)
				out, _ := mustRead(t, content)
				if len(out) != len(in) {
					t.Fatalf("seed %d: %d spans of %d in %q", seed, len(out), len(in), content)
				}
				for i := range in {
					if !in[i].Equal(out[i]) {
						t.Fatalf("seed %d, span %d\nwant %s\n got %s", seed, i, describe(in[i:i+1]), describe(out[i:i+1]))
					}
				}
			}
		})
	}
}

// The members of a message may stand in any order.
func TestSchemaStandsFirst(t *testing.T) {
	var w trace.Builder
	w.Add(&trace.SpanData{TraceID: trace.TraceID{1}, ID: trace.SpanID{1}, Name: "a"})
	of := otlp.Append(nil, w.Commit())[2:] // of its ResourceSpans, behind tag and length
	schema := "\x1a\x06schema"
	message := append([]byte{messageStart, byte(len(schema) + len(of))}, schema...)
	if spans, report := mustRead(t, append(message, of...)); len(spans) != 1 || spans[0].Resource().SchemaURL() != "schema" || report.Format != OTLPProtobuf {
		t.Errorf("read %q as %s", describe(spans), report.Format)
	}
}

func asJSON(spans []trace.Span) []byte {
	b, err := (&ptrace.JSONMarshaler{}).MarshalTraces(otlp.Encode(spans))
	if err != nil {
		panic(err)
	}
	return b
}
