package otlp

import (
	"fmt"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/followspan/followspan/trace"
)

// EncodeJSON returns the spans as TracesData in the JSON encoding, which is also
// that of an ExportTraceServiceRequest.
func EncodeJSON(spans []trace.Span) ([]byte, error) {
	b, err := (&ptrace.JSONMarshaler{}).MarshalTraces(Encode(spans))
	if err != nil {
		return nil, fmt.Errorf("encode %d spans as OTLP JSON: %w", len(spans), err)
	}
	return b, nil
}
