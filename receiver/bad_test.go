package receiver_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/followspan/followspan/receiver"
	"github.com/followspan/followspan/trace"
)

// panicking is a Sink with a bug.
type panicking struct{}

func (panicking) Consume(context.Context, trace.Batch) error { panic("bug") }

// What is odd but says what happened is kept as it is.
func TestOddSpansAreKept(t *testing.T) {
	sink := &memory{}
	s := start(t, receiver.Settings{}, sink)
	for i, c := range []struct {
		why  string
		span func(ptrace.Span)
	}{
		{"invalid UTF-8", func(s ptrace.Span) { s.SetName("\xff\xfe"); s.Attributes().PutStr("\xff", "\x80") }},
		{"10,000 attributes", func(s ptrace.Span) {
			s.Attributes().EnsureCapacity(10_000)
			for i := range 10_000 {
				s.Attributes().PutInt(fmt.Sprint(i), int64(i))
			}
		}},
		{"a value of 1 MiB", func(s ptrace.Span) { s.Attributes().PutStr("sql", strings.Repeat("x", 1<<20)) }},
		{"10,000 events", func(s ptrace.Span) {
			for range 10_000 {
				s.Events().AppendEmpty().SetName("retry")
			}
		}},
		{"end before start", func(s ptrace.Span) { s.SetStartTimestamp(10); s.SetEndTimestamp(5) }},
		{"times of 0", func(s ptrace.Span) { s.SetStartTimestamp(0); s.SetEndTimestamp(0) }},
		{"the largest times", func(s ptrace.Span) { s.SetStartTimestamp(math.MaxUint64); s.SetEndTimestamp(math.MaxUint64) }},
		{"its own parent", func(s ptrace.Span) { s.SetParentSpanID(s.SpanID()) }},
	} {
		r := batch(i, 1)
		c.span(r.Traces().ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0))
		if _, err := exporter(t, s).Export(t.Context(), r); err != nil {
			t.Errorf("%s: %v", c.why, err)
		}
		wantSpans(t, sink, i+1)
	}
}

func TestBadBodiesAreRefused(t *testing.T) {
	sink := &memory{}
	s := start(t, receiver.Settings{}, sink)
	good := inProtobuf(t, batch(0, 3))
	deep := `{"resourceSpans":[{"resource":{"attributes":[{"value":` + strings.Repeat(`{"arrayValue":{"values":[`, 1_000_000) + strings.Repeat(`]}}`, 1_000_000) + `}]}}]}`
	for _, c := range []struct{ why, contentType, body string }{
		{"truncated", protobufType, good[:len(good)-1]},
		{"protobuf labelled JSON", jsonType, good},
		{"JSON labelled protobuf", protobufType, inJSON(t, batch(0, 1))},
		{"unlabelled gzip", protobufType, compressed(t, codings[0].compress, good)},
		{"a million nested values", jsonType, deep},
		{"a million nested values", protobufType, nested(1_000_000)},
		{"unknown wire types", protobufType, good + "\x0e"},
		{"a group", protobufType, good + "\x0b\x0c"},
		{"a short id", jsonType, `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"01","spanId":"01"}]}]}]}`},
		{"an id that is not hex", jsonType, strings.Replace(inJSON(t, batch(0, 1)), `"traceId":"01`, `"traceId":"no`, 1)},
	} {
		if res := post(t, s, "/v1/traces", c.contentType, c.body); res.StatusCode != 400 {
			t.Errorf("%s: %s %.100q", c.why, res.Status, res.body)
		}
	}
	if res := post(t, s, "/v1/traces", protobufType, good+good); res.StatusCode != 200 {
		t.Errorf("two messages in one body: %s", res.Status)
	}
	wantSpans(t, sink, 6)
}

// nested is a request with n lists within each other in an attribute.
func nested(n int) string {
	const arrayValue, values, value, attributes, resource, resourceSpans = 5, 1, 2, 1, 1, 1
	fields := []protowire.Number{resourceSpans, resource, attributes, value}
	for range n {
		fields = append(fields, arrayValue, values)
	}
	heads, size := make([][]byte, len(fields)), 0 // each is as long as all that it holds
	for i, field := range slices.Backward(fields) {
		heads[i] = protowire.AppendVarint(protowire.AppendTag(nil, field, protowire.BytesType), uint64(size))
		size += len(heads[i])
	}
	return string(slices.Concat(heads...))
}

// Whatever byte is wrong, the answer says so or the request still makes sense.
func TestCorruptBodies(t *testing.T) {
	s := start(t, receiver.Settings{}, &memory{})
	for contentType, good := range map[string]string{protobufType: inProtobuf(t, batch(0, 2)), jsonType: inJSON(t, batch(0, 2))} {
		for i := range good {
			for _, wrong := range []byte{0, 0xff, good[i] ^ 1, good[i] ^ 0x80} {
				body := good[:i] + string([]byte{wrong}) + good[i+1:]
				if res := post(t, s, "/v1/traces", contentType, body); res.StatusCode != 200 && res.StatusCode != 400 {
					t.Errorf("%q: %s", body, res.Status)
				}
			}
		}
	}
	if _, err := exporter(t, s).Export(t.Context(), batch(0, 1)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestDuplicateKeysAreKept(t *testing.T) {
	sink := &memory{}
	s := start(t, receiver.Settings{}, sink)
	attribute := func(value string) string { return `{"key":"k","value":{"stringValue":"` + value + `"}}` }
	body := strings.Replace(inJSON(t, batch(0, 1)), `"name":"place order"`,
		`"name":"place order","attributes":[`+attribute("first")+","+attribute("second")+`]`, 1)
	if res := post(t, s, "/v1/traces", jsonType, body); res.StatusCode != 200 {
		t.Fatalf("%s %s", res.Status, res.body)
	}
	var got []string
	for key, v := range sink.spans()[0].Attrs() {
		got = append(got, key+"="+v.Str())
	}
	if want := []string{"k=first", "k=second"}; !slices.Equal(got, want) {
		t.Errorf("attributes %q, want %q", got, want)
	}
}

// Nothing of a refused request may show in the next.
func TestRefusedRequestsLeaveNothing(t *testing.T) {
	sink := &memory{}
	s := start(t, receiver.Settings{}, sink)
	good := inProtobuf(t, batch(0, 100))
	for i := range 50 {
		post(t, s, "/v1/traces", protobufType, good+"\x08")
		post(t, s, "/v1/traces", protobufType, inProtobuf(t, batch(i, 1)))
	}
	for i, span := range sink.spans() {
		if span.ID() != spanID(i) || span.Name() != "place order" || span.Service() != "checkout" {
			t.Errorf("span %d: %s %q %q", i, span.ID(), span.Name(), span.Service())
		}
	}
	wantSpans(t, sink, 50)
}

// Half a header and a hang-up, or no hang-up, by the hundred: neither holds up the
// server, its end, or leaves a goroutine (TestMain looks).
func TestHalfRequests(t *testing.T) {
	s := start(t, receiver.Settings{}, &memory{})
	var open []net.Conn
	for i := range 300 {
		c, err := net.Dial("tcp", s.GRPCAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		half := []string{"", "P", "PRI * HT", "POST /v1/tr", "POST /v1/traces HTTP/1.1\r\nHost: x\r\n", "\x00\x01"}[i%6]
		if _, err := io.WriteString(c, half); err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			c.Close()
		} else {
			open = append(open, c)
		}
	}
	if _, err := exporter(t, s).Export(t.Context(), batch(0, 1)); err != nil {
		t.Error(err)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	for _, c := range open {
		c.Close()
	}
}

// Half a body is a request under way: it has the grace of Shutdown and no more.
func TestHalfBodies(t *testing.T) {
	s := start(t, receiver.Settings{Grace: time.Millisecond}, &memory{})
	for _, path := range []string{"/v1/traces", "/nowhere"} {
		c, err := net.Dial("tcp", s.HTTPAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{", path); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestTLSIsExplained(t *testing.T) {
	warned := make(chan string, 1)
	s := start(t, receiver.Settings{Warn: func(h string) { warned <- h }}, &memory{})
	c, err := net.Dial("tcp", s.GRPCAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "\x16\x03\x01\x02\x00"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("the connection was answered")
	}
	if hint := <-warned; !strings.Contains(hint, "OTEL_EXPORTER_OTLP_INSECURE=true") {
		t.Errorf("warned %q", hint)
	}
}

// Everything that eight exporters send of one trace arrives, once each.
func TestConcurrentExportersLoseNothing(t *testing.T) {
	sink := &memory{}
	s := start(t, receiver.Settings{}, sink)
	const exporters, requests, size = 8, 50, 50
	var all sync.WaitGroup
	for e := range exporters {
		client := exporter(t, s)
		export := func(first int) error {
			if e%2 == 0 {
				_, err := client.Export(t.Context(), batch(first, size))
				return err
			}
			body, err := batch(first, size).MarshalProto()
			if err != nil {
				return err
			}
			res, err := send(t.Context(), s, http.MethodPost, "/v1/traces", string(body), "Content-Type", protobufType)
			if err == nil && res.StatusCode != 200 {
				err = errors.New(res.Status)
			}
			return err
		}
		all.Go(func() {
			for r := range requests {
				if err := export((e*requests + r) * size); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	seen := map[trace.SpanID]bool{}
	for _, span := range sink.spans() {
		if span.TraceID() != (trace.TraceID{1}) || span.Name() != "place order" || span.Service() != "checkout" {
			t.Fatalf("span %s: %s %q %q", span.ID(), span.TraceID(), span.Name(), span.Service())
		}
		seen[span.ID()] = true
	}
	wantSpans(t, sink, exporters*requests*size)
	if len(seen) != exporters*requests*size {
		t.Errorf("%d different spans, want %d", len(seen), exporters*requests*size)
	}
	if got := s.Stats(); got.Spans != exporters*requests*size || got.Requests != exporters*requests {
		t.Errorf("stats: %+v", got)
	}
}
