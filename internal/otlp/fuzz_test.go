package otlp_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/followspan/followspan/internal/otlp"
	"github.com/followspan/followspan/trace"
)

// FuzzProtobuf compares the decoder with pdata, which it may disagree with only
// where the package says so.
func FuzzProtobuf(f *testing.F) {
	f.Add([]byte(wire(f, everything())))
	f.Add(scramble(rand.New(rand.NewPCG(1, 1)), []byte(wire(f, everything())), requestLevel))
	f.Add(request(lists(3)))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		var b trace.Builder
		d := otlp.NewDecoder(&b, otlp.Limits{})
		refusals, err := d.Protobuf(data)
		if err != nil {
			b.Rollback()
		}
		spans := b.Commit()
		agrees(t, data, spans, refusals, err)
		survives(t, d, &b, spans)
	})
}

func agrees(t *testing.T, data []byte, spans []trace.Span, refusals []otlp.Refusal, err error) {
	is := inspect(data)
	if err == nil && (is.broken || is.nests > otlp.DefaultNesting) {
		t.Fatalf("accepted a request with %+v", is)
	}
	if is.broken || is.nests > otlp.DefaultNesting || is.group || is.joined {
		return
	}
	td, pdataErr := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(data)
	var e *otlp.Error
	switch {
	case pdataErr != nil && err == nil && !is.entity && !wrongLength(refusals):
		t.Fatalf("accepted what pdata refuses: %v", pdataErr)
	case pdataErr == nil && errors.As(err, &e) && e.Reason != otlp.WrongSignal:
		t.Fatalf("refused what pdata accepts: %v", err)
	case pdataErr == nil && err == nil:
		if diff := difference(td, spans); diff != "" {
			t.Fatal(diff)
		}
		if got := len(spans) + refused(refusals); got != td.SpanCount() {
			t.Fatalf("%d spans kept or refused, want %d", got, td.SpanCount())
		}
	}
}

// wrongLength reports whether an id is the reason of a refusal: pdata refuses the
// whole request then.
func wrongLength(refusals []otlp.Refusal) bool {
	for _, r := range refusals {
		if strings.Contains(string(r.Reason), "long") || strings.Contains(string(r.Reason), "length") {
			return true
		}
	}
	return false
}

func refused(refusals []otlp.Refusal) (n int) {
	for _, r := range refusals {
		n += r.Spans
	}
	return n
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(text(f, everything())))
	f.Add([]byte(jsonLists(3)))
	f.Add([]byte(jsonMaps(3)))
	f.Add([]byte(`{"resourceSpans":null,"":{},"a":"\"\\"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		td, err := otlp.UnmarshalJSON(data)
		if err != nil {
			return
		}
		var b trace.Builder
		d := otlp.NewDecoder(&b, otlp.Limits{})
		refusals, err := d.Traces(td)
		if err != nil {
			var e *otlp.Error
			if !errors.As(err, &e) || e.Reason != otlp.TooDeep && e.Reason != otlp.WrongSignal {
				t.Fatal(err)
			}
			return
		}
		spans := b.Commit()
		if diff := difference(td, spans); diff != "" {
			t.Fatal(diff)
		}
		if got := len(spans) + refused(refusals); got != td.SpanCount() {
			t.Fatalf("%d spans kept or refused, want %d", got, td.SpanCount())
		}
		survives(t, d, &b, spans)
	})
}

// survives checks that spans come back the same from their own encoding.
func survives(t *testing.T, d *otlp.Decoder, b *trace.Builder, spans []trace.Span) {
	bytes := otlp.Append(nil, spans)
	if refusals, err := d.Protobuf(bytes); err != nil || len(refusals) > 0 {
		t.Fatalf("own encoding: %v, %v", refusals, err)
	}
	again := b.Commit()
	if len(again) != len(spans) {
		t.Fatalf("%d spans after a round trip, want %d", len(again), len(spans))
	}
	for i := range spans {
		if !spans[i].Equal(again[i]) {
			t.Fatalf("span %d of %q differs after a round trip", i, bytes)
		}
	}
}
