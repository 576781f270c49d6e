package otlp

import (
	"bytes"
	"fmt"

	"go.opentelemetry.io/collector/pdata/ptrace"
)

// UnmarshalJSON reads a traces request in the JSON encoding (OTLP 1.x, "JSON
// Protobuf Encoding"): null stands for a default, unknown fields are ignored, and
// nothing may follow the request. It keeps nothing of data. An error is an [*Error].
//
// pdata refuses a request whole for one trace or span id of a wrong length.
func UnmarshalJSON(data []byte) (ptrace.Traces, error) {
	clean, signal, err := cleanJSON(data)
	if err != nil {
		return ptrace.Traces{}, explain(err, data, likeGzip, likeZstd, likeProtobuf)
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

// look is what bytes that cannot be decoded may be instead.
type look struct{ start, hint string }

var (
	likeGzip     = look{"\x1f\x8b", "these bytes look like gzip: is the Content-Encoding right?"}
	likeZstd     = look{"\x28\xb5\x2f\xfd", "these bytes look like zstd: is the Content-Encoding right?"}
	likeJSON     = look{"{", "these bytes look like JSON: is the Content-Type right?"}
	likeProtobuf = look{"\n", "these bytes look like protobuf: is the Content-Type right?"}
)

// explain adds to why bytes were malformed what they look like.
func explain(err error, data []byte, looks ...look) error {
	e, ok := err.(*Error)
	if !ok || e.Reason != Malformed {
		return err
	}
	for _, l := range looks {
		if bytes.HasPrefix(data, []byte(l.start)) {
			return &Error{Malformed, fmt.Errorf("%w; %s", e.Err, l.hint)}
		}
	}
	return err
}
