package otlptest_test

import (
	"bytes"
	"testing"

	"github.com/followspan/followspan/internal/otlp/otlptest"
)

// What benchmarks measure depends on the size of the spans.
func TestRequests(t *testing.T) {
	r := otlptest.Protobuf('a')
	first, second := r.Next(), r.Next()
	if got := len(first) / otlptest.SpansPerRequest; got < 520 || got > 530 {
		t.Errorf("%d bytes a span", got)
	}
	if bytes.Contains(first, []byte("@@")) || bytes.Contains(first, []byte("^^")) || bytes.Equal(first, second) || bytes.Equal(first, otlptest.Protobuf('b').Next()) {
		t.Error("the spans of different requests are not distinct")
	}
}
