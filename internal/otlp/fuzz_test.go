package otlp_test

import (
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/followspan/followspan/internal/otlp"
	"github.com/followspan/followspan/trace"
)

func FuzzProtobuf(f *testing.F) {
	f.Add([]byte(wire(f, everything())))
	f.Add(request(lists(3)))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) { survives(t, data, otlp.Unmarshal) })
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(text(f, everything())))
	f.Add([]byte(jsonLists(3)))
	f.Add([]byte(jsonMaps(3)))
	f.Add([]byte(`{"resourceSpans":null,"":{},"a":"\"\\"}`))
	f.Fuzz(func(t *testing.T, data []byte) { survives(t, data, otlp.UnmarshalJSON) })
}

// survives checks that what decodes comes back the same from a second way through
// blocks: the first may lose refused spans, values too deep, and empty envelopes.
func survives(t *testing.T, data []byte, unmarshal func([]byte) (ptrace.Traces, error)) {
	td, err := unmarshal(data)
	if err != nil {
		return
	}
	var b trace.Builder
	d := otlp.NewDecoder(&b)
	refused := 0
	for _, r := range d.Traces(td) {
		refused += r.Spans
	}
	first := b.Commit()
	if len(first)+refused != td.SpanCount() {
		t.Fatalf("%d spans kept, %d refused, want %d together", len(first), refused, td.SpanCount())
	}
	bytes := otlp.Append(nil, first)
	if refusals, err := d.Protobuf(bytes); err != nil || len(refusals) > 0 {
		t.Fatalf("own encoding: %v, %v", refusals, err)
	}
	second := b.Commit()
	for i := range first {
		if !first[i].Equal(second[i]) {
			t.Fatalf("span %d of %q differs after a round trip", i, bytes)
		}
	}
}
