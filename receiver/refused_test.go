package receiver_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/followspan/followspan/receiver"
	"github.com/followspan/followspan/trace"
)

// The Sink learns of data that will not come again, since an absence must not pass
// on what was thrown away.
func TestTheSinkLearnsWhatWasRefused(t *testing.T) {
	var mu sync.Mutex
	var got []string
	s := start(t, receiver.Settings{MaxRequestBytes: 10_000}, receiver.SinkFunc(func(_ context.Context, b trace.Batch) error {
		mu.Lock()
		defer mu.Unlock()
		for _, r := range b.Refused {
			got = append(got, fmt.Sprintf("%d of %q: %s", r.Spans, r.Service, r.Reason))
		}
		return nil
	}))
	tests := []struct{ why, path, contentType, body, want string }{
		{"a good request", "/v1/traces", protobufType, inProtobuf(t, batch(0, 1)), ""},
		{"a span without an id", "/v1/traces", jsonType,
			`{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeSpans":[{"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":""}]}]}]}`,
			`1 of "shop": span id is all zero`},
		{"rubbish", "/v1/traces", protobufType, "rubbish", `0 of "": malformed request`},
		{"too large", "/v1/traces", jsonType, strings.Repeat(" ", 20_000), `0 of "": request too large`},
		{"no spans", "/v1/logs", protobufType, "rubbish", ""},
		{"a person", "/v1/traces", "text/html", "hello", ""},
	}
	for _, tt := range tests {
		mu.Lock()
		got = nil
		mu.Unlock()
		post(t, s, tt.path, tt.contentType, tt.body)
		mu.Lock()
		if want := slices.DeleteFunc([]string{tt.want}, func(s string) bool { return s == "" }); !slices.Equal(got, want) {
			t.Errorf("%s: the sink heard %q, want %q", tt.why, got, want)
		}
		mu.Unlock()
	}
}
