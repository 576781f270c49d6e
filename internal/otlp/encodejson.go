package otlp

import (
	"fmt"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/followspan/followspan/trace"
)

// EncodeJSON returns the spans as TracesData in the JSON encoding, which is also
// that of an ExportTraceServiceRequest. Bytes of texts that are no UTF-8, which protobuf
// decoders let pass and JSON cannot hold, become U+FFFD, one by one.
func EncodeJSON(spans []trace.Span) ([]byte, error) {
	b, err := (&ptrace.JSONMarshaler{}).MarshalTraces(Encode(spans))
	if err != nil {
		return nil, fmt.Errorf("encode %d spans as OTLP JSON: %w", len(spans), err)
	}
	if !utf8.Valid(b) {
		b = []byte(string([]rune(string(b))))
	}
	return b, nil
}
