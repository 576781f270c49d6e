package otlp

import (
	"bytes"
	"fmt"

	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Unmarshal reads an ExportTraceServiceRequest or TracesData in protobuf. It keeps
// nothing of data. An error is an [*Error].
//
// pdata refuses a request whole for one trace or span id of a wrong length.
func Unmarshal(data []byte) (ptrace.Traces, error) {
	if err := scan(data, request, maxNesting); err != nil {
		return ptrace.Traces{}, explain(err, data)
	}
	td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(data)
	if err != nil {
		return ptrace.Traces{}, explain(malformed(err), data)
	}
	return td, nil
}

// UnmarshalJSON is [Unmarshal] for the JSON encoding (OTLP 1.x, "JSON Protobuf
// Encoding"): null stands for a default, unknown fields are ignored, and nothing
// may follow the request.
func UnmarshalJSON(data []byte) (ptrace.Traces, error) {
	clean, signal, err := cleanJSON(data)
	if err != nil {
		return ptrace.Traces{}, explain(err, data)
	}
	td, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(clean)
	if err != nil {
		return ptrace.Traces{}, malformed(err)
	}
	if signal != "" && td.ResourceSpans().Len() == 0 {
		return ptrace.Traces{}, wrongSignal(signal)
	}
	return td, nil
}

// explain adds what the bytes look like to why they were malformed.
func explain(err error, data []byte) error {
	e, ok := err.(*Error)
	if !ok || e.Reason != Malformed {
		return err
	}
	hint := ""
	switch start := bytes.TrimLeft(data, " \t\r\n"); {
	case bytes.HasPrefix(data, []byte{0x1f, 0x8b}):
		hint = "these bytes are gzip: is the Content-Encoding header missing?"
	case bytes.HasPrefix(data, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		hint = "these bytes are zstd: is the Content-Encoding header missing?"
	case bytes.HasPrefix(start, []byte(`{"`)), bytes.HasPrefix(start, []byte("{\n")):
		hint = "these bytes look like JSON: is the Content-Type right?"
	case len(data) > 0 && data[0] == '\n':
		hint = "these bytes look like protobuf: is the Content-Type right?"
	}
	if hint == "" {
		return err
	}
	return &Error{Malformed, fmt.Errorf("%w (%s)", e.Err, hint)}
}
