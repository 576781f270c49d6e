package receiver_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/followspan/followspan/receiver"
)

// wantFailure checks that the body is a google.rpc.Status in the encoding of the
// request (OTLP 1.x, "Failures").
func wantFailure(t *testing.T, what string, res response, code int, contentType string, rpc codes.Code) string {
	t.Helper()
	st := &spb.Status{}
	unmarshal := proto.Unmarshal
	if contentType == jsonType {
		unmarshal = protojson.Unmarshal
	}
	if err := unmarshal([]byte(res.body), st); err != nil {
		t.Errorf("%s: the body %q is no google.rpc.Status: %v", what, res.body, err)
	}
	if res.StatusCode != code || res.Header.Get("Content-Type") != contentType || codes.Code(st.Code) != rpc || st.Message == "" {
		t.Errorf("%s: %s, %s, %v %q; want %d, %s, %v", what, res.Status, res.Header.Get("Content-Type"), codes.Code(st.Code), st.Message, code, contentType, rpc)
	}
	if rpc == codes.InvalidArgument && code == http.StatusBadRequest && len(st.Details) != 1 {
		t.Errorf("%s: details %v, want BadRequest", what, st.Details)
	}
	return st.Message
}

// OTLP 1.x, "Full Success": partial_success is left unset.
func TestHTTPFullSuccess(t *testing.T) {
	sink := &memory{}
	s := start(t, receiver.Settings{}, sink)
	for _, c := range []struct{ contentType, answerType, body, answer string }{
		{"application/x-protobuf", protobufType, inProtobuf(t, batch(0, 1)), ""},
		{"application/protobuf", protobufType, inProtobuf(t, batch(1, 1)), ""},
		{"Application/X-Protobuf; charset=utf-8", protobufType, inProtobuf(t, batch(2, 1)), ""},
		{"application/json", jsonType, inJSON(t, batch(3, 1)), "{}"},
		{"application/json; charset=utf-8", jsonType, inJSON(t, batch(4, 1)), "{}"},
		{"APPLICATION/JSON;broken", jsonType, inJSON(t, batch(5, 1)), "{}"},
		{"application/x-protobuf", protobufType, "", ""},
		{"application/json", jsonType, "{}", "{}"},
		{"application/json", jsonType, `{"resourceSpans":[{}]}`, "{}"},
	} {
		res := post(t, s, "/v1/traces", c.contentType, c.body)
		if res.StatusCode != 200 || res.Header.Get("Content-Type") != c.answerType || res.body != c.answer {
			t.Errorf("%s: %s, %s, %q; want 200, %s, %q", c.contentType, res.Status, res.Header.Get("Content-Type"), res.body, c.answerType, c.answer)
		}
	}
	wantSpans(t, sink, 6)
}

// OTLP 1.x, "Partial Success".
func TestHTTPPartialSuccess(t *testing.T) {
	sink := &memory{}
	s := start(t, receiver.Settings{}, sink)
	r := batch(1, 3)
	r.Traces().ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(2).SetTraceID([16]byte{})
	const message = `1 spans of service "checkout": trace id is all zero`
	for _, c := range []struct {
		contentType, body string
		unmarshal         func(ptraceotlp.ExportResponse, []byte) error
	}{
		{protobufType, inProtobuf(t, r), ptraceotlp.ExportResponse.UnmarshalProto},
		{jsonType, inJSON(t, r), ptraceotlp.ExportResponse.UnmarshalJSON},
	} {
		res := post(t, s, "/v1/traces", c.contentType, c.body)
		answer := ptraceotlp.NewExportResponse()
		if err := c.unmarshal(answer, []byte(res.body)); err != nil {
			t.Fatal(err)
		}
		if p := answer.PartialSuccess(); res.StatusCode != 200 || p.RejectedSpans() != 1 || p.ErrorMessage() != message {
			t.Errorf("%s: %s, rejected %d: %s", c.contentType, res.Status, p.RejectedSpans(), p.ErrorMessage())
		}
	}
	wantSpans(t, sink, 4)
	wantRefused(t, s, receiver.Refused{Reason: "trace id is all zero", Service: "checkout", Spans: 2})
}

func TestHTTPFailures(t *testing.T) {
	s := start(t, receiver.Settings{}, &memory{})
	for _, contentType := range []string{protobufType, jsonType} {
		res := post(t, s, "/v1/traces", contentType, "\xff")
		wantFailure(t, "bad data", res, 400, contentType, codes.InvalidArgument)
		res = post(t, s, "/v1/spans", contentType, "")
		wantFailure(t, "unknown path", res, 404, contentType, codes.NotFound)
		res = do(t, s, http.MethodPut, "/v1/traces", "", "Content-Type", contentType)
		wantFailure(t, "wrong method", res, 405, contentType, codes.Unimplemented)
		if allow := res.Header.Get("Allow"); allow != http.MethodPost {
			t.Errorf("Allow: %q, want POST", allow)
		}
		res = post(t, s, "/v1/traces", contentType, "", "Content-Encoding", "br")
		wantFailure(t, "unknown coding", res, 415, contentType, codes.InvalidArgument)
		res = post(t, s, "/v1/traces", contentType, "", "Content-Encoding", "gzip, gzip")
		wantFailure(t, "compressed twice", res, 415, contentType, codes.InvalidArgument)
		if accept := res.Header.Get("Accept-Encoding"); !strings.Contains(accept, "gzip") {
			t.Errorf("Accept-Encoding: %q", accept)
		}
		res = post(t, s, "/v1/traces", contentType, "no gzip", "Content-Encoding", "gzip")
		wantFailure(t, "corrupt compression", res, 400, contentType, codes.InvalidArgument)
	}
	res := post(t, s, "/v1/traces", "text/plain", "")
	wantFailure(t, "unknown content type", res, 415, jsonType, codes.InvalidArgument)
	res = do(t, s, http.MethodGet, "/v1/traces", "")
	wantFailure(t, "a person's browser", res, 405, jsonType, codes.Unimplemented)
	res = do(t, s, http.MethodGet, "/", "")
	wantFailure(t, "the bare address", res, 404, jsonType, codes.NotFound)
	wantRefused(t, s,
		receiver.Refused{Reason: "corrupt compression", Requests: 2},
		receiver.Refused{Reason: "malformed request", Requests: 2},
		receiver.Refused{Reason: "unknown content encoding", Requests: 4},
		receiver.Refused{Reason: "unknown content type", Requests: 1},
		receiver.Refused{Reason: "unknown path", Requests: 2},
	)
}

// OTLP 1.x, "OTLP/HTTP Throttling".
func TestHTTPSinkErrors(t *testing.T) {
	for _, contentType := range []string{protobufType, jsonType} {
		body := inProtobuf(t, batch(0, 1))
		if contentType == jsonType {
			body = inJSON(t, batch(0, 1))
		}
		s := start(t, receiver.Settings{}, &memory{err: fmt.Errorf("store: %w", errors.New("memory limit"))})
		res := post(t, s, "/v1/traces", contentType, body)
		wantFailure(t, "overload", res, 503, contentType, codes.Unavailable)
		if after := res.Header.Get("Retry-After"); after != "1" {
			t.Errorf("Retry-After: %q, want 1", after)
		}
		s = start(t, receiver.Settings{}, &memory{err: fmt.Errorf("store: %w", receiver.Permanent(errors.New("closed")))})
		res = post(t, s, "/v1/traces", contentType, body)
		wantFailure(t, "permanent error", res, 400, contentType, codes.InvalidArgument)
	}
}

func compressed(t *testing.T, open func(io.Writer) (io.WriteCloser, error), body string) string {
	t.Helper()
	var b bytes.Buffer
	w, err := open(&b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, body); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// codings are the values of Content-Encoding in the wild, with what they mean.
var codings = []struct {
	name     string
	compress func(io.Writer) (io.WriteCloser, error)
}{
	{"gzip", func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }},
	{"GZIP", func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }},
	{"zstd", func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) }},
	{"deflate", func(w io.Writer) (io.WriteCloser, error) { return zlib.NewWriter(w), nil }},
	{"deflate", func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, 1) }},
	{"snappy", func(w io.Writer) (io.WriteCloser, error) { return snappy.NewBufferedWriter(w), nil }},
	{"snappy", func(w io.Writer) (io.WriteCloser, error) { return &blockSnappy{w: w}, nil }},
	{"lz4", func(w io.Writer) (io.WriteCloser, error) { return lz4.NewWriter(w), nil }},
	{"identity, gzip", func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }},
	{"identity", func(w io.Writer) (io.WriteCloser, error) { return &plain{w}, nil }},
}

// blockSnappy writes snappy's block format, which has no framing.
type blockSnappy struct {
	bytes.Buffer
	w io.Writer
}

func (b *blockSnappy) Close() error {
	_, err := b.w.Write(snappy.Encode(nil, b.Bytes()))
	return err
}

type plain struct{ io.Writer }

func (plain) Close() error { return nil }

func TestHTTPCompression(t *testing.T) {
	sink := &memory{}
	s := start(t, receiver.Settings{}, sink)
	for i, c := range codings {
		for range 2 { // decompressors are used again
			body := compressed(t, c.compress, inProtobuf(t, batch(i, 1)))
			if res := post(t, s, "/v1/traces", protobufType, body, "Content-Encoding", c.name); res.StatusCode != 200 {
				t.Errorf("%s: %s %q", c.name, res.Status, res.body)
			}
			res := post(t, s, "/v1/traces", protobufType, body[:len(body)-3], "Content-Encoding", c.name)
			wantFailure(t, "truncated "+c.name, res, 400, protobufType, codes.InvalidArgument)
		}
	}
	wantSpans(t, sink, 2*len(codings))
}

// A small body that grows beyond the limit costs the limit, not its size.
func TestHTTPTooLarge(t *testing.T) {
	s := start(t, receiver.Settings{MaxRequestBytes: 100_000}, &memory{})
	bomb := strings.Repeat("\n\x00", 50_000) + "\n"
	for _, c := range codings {
		res := post(t, s, "/v1/traces", protobufType, compressed(t, c.compress, bomb), "Content-Encoding", c.name)
		wantFailure(t, c.name, res, 413, protobufType, codes.ResourceExhausted)
	}
	chunked, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.HTTPEndpoint()+"/v1/traces", struct{ io.Reader }{strings.NewReader(bomb)})
	if err != nil {
		t.Fatal(err)
	}
	chunked.Header.Set("Content-Type", protobufType)
	res, err := http.DefaultClient.Do(chunked)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if res.StatusCode != 413 {
		t.Errorf("chunked: %s, want 413", res.Status)
	}
	if res := post(t, s, "/v1/traces", protobufType, bomb[:100_000]); res.StatusCode != 200 {
		t.Errorf("exactly the limit: %s", res.Status)
	}
	wantRefused(t, s, receiver.Refused{Reason: "request too large", Requests: uint64(len(codings)) + 1})
}

func TestHTTPOtherSignals(t *testing.T) {
	s := start(t, receiver.Settings{}, &memory{})
	for _, path := range []string{"/v1/metrics", "/v1/logs", "/v1development/profiles", "/v1/logs/v1/metrics"} {
		res := post(t, s, path, jsonType, "{}")
		if advised := strings.Contains(res.body, `should be \"/v1/metrics\"`); res.StatusCode != 200 || res.body != "{}" && !advised {
			t.Errorf("%s: %s %q", path, res.Status, res.body)
		}
	}
	want := receiver.Stats{Metrics: 2, Logs: 1, Profiles: 1}
	if diff := cmp.Diff(want, s.Stats()); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
	res := post(t, s, "/v1/traces", jsonType, `{"resourceLogs":[{}]}`)
	if m := wantFailure(t, "logs", res, 400, jsonType, codes.InvalidArgument); !strings.Contains(m, "this is a logs request") {
		t.Errorf("no hint in %q", m)
	}
}

func TestMisconfiguredPaths(t *testing.T) {
	sink := &memory{}
	warned := make(chan string, 20)
	s := start(t, receiver.Settings{Warn: func(hint string) { warned <- hint }}, sink)
	paths := []string{"/", "/v1/traces/", "/v1/traces/v1/traces", "//v1/traces"}
	for i, path := range paths {
		for j := range 2 {
			if res := post(t, s, path, protobufType, inProtobuf(t, batch(10*i+j, 1))); res.StatusCode != 200 {
				t.Errorf("%s: %s", path, res.Status)
			}
		}
		if hint := <-warned; !strings.Contains(hint, fmt.Sprintf("%q, which should be \"/v1/traces\"", path)) {
			t.Errorf("%s: warned %q", path, hint)
		}
	}
	if len(warned) > 0 {
		t.Errorf("warned more than once: %q", <-warned)
	}
	wantSpans(t, sink, 2*len(paths))
	res := post(t, s, "/api/v1/traces", protobufType, "")
	wantFailure(t, "another prefix", res, 404, protobufType, codes.NotFound)
}

func TestRoutes(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Method, " ", r.PathValue("id")) })
	s := start(t, receiver.Settings{Routes: map[string]http.Handler{"GET /api/traces/{id}": handler, "POST /api/x/{id}": handler}}, &memory{})
	if res := do(t, s, http.MethodGet, "/api/traces/1", ""); res.body != "GET 1" {
		t.Errorf("GET: %q", res.body)
	}
	if res := post(t, s, "/api/x/2", jsonType, "{}"); res.body != "POST 2" {
		t.Errorf("POST: %q", res.body)
	}
	for _, path := range []string{"/", "/api/traces/1", "/api/v1/spans"} {
		wantFailure(t, path, post(t, s, path+"x/y", protobufType, ""), 404, protobufType, codes.NotFound)
	}
	wantFailure(t, "a page that is not there", do(t, s, http.MethodGet, "/page", ""), 404, jsonType, codes.NotFound)
	if res := post(t, s, "/v1/traces", jsonType, "{}"); res.StatusCode != 200 {
		t.Errorf("spans: %s", res.Status)
	}
}

func TestPanicOfTheHandlerIsAnswered(t *testing.T) {
	warned := make(chan string, 1)
	handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("bug") })
	s := start(t, receiver.Settings{Routes: map[string]http.Handler{"/": handler}, Warn: func(h string) { warned <- h }}, &memory{})
	wantFailure(t, "panic", do(t, s, http.MethodGet, "/", ""), 500, jsonType, codes.Internal)
	if hint := <-warned; !strings.Contains(hint, "http_test.go") {
		t.Errorf("no stack in %q", hint)
	}
}

func TestCORS(t *testing.T) {
	warned := make(chan string, 1)
	s := start(t, receiver.Settings{CORSOrigins: []string{"https://shop.example", "http://localhost:*"}, Warn: func(h string) { warned <- h }}, &memory{})
	for _, c := range []struct {
		origin string
		ok     bool
	}{{"https://shop.example", true}, {"http://localhost:3000", true}, {"https://evil.example", false}} {
		res := do(t, s, http.MethodOptions, "/v1/traces", "", "Origin", c.origin,
			"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type,x-tenant")
		allowed := res.Header.Get("Access-Control-Allow-Origin") == c.origin && res.StatusCode == http.StatusNoContent &&
			res.Header.Get("Access-Control-Allow-Headers") == "content-type,x-tenant" && res.Header.Get("Access-Control-Allow-Methods") == "POST"
		if allowed != c.ok {
			t.Errorf("preflight of %s: %s %v", c.origin, res.Status, res.Header)
		}
		res = post(t, s, "/v1/traces", jsonType, "{}", "Origin", c.origin)
		if got := res.Header.Get("Access-Control-Allow-Origin") == c.origin; got != c.ok || res.Header.Get("Vary") != "Origin" {
			t.Errorf("request of %s: %v", c.origin, res.Header)
		}
	}
	if hint := <-warned; !strings.Contains(hint, "https://evil.example") {
		t.Errorf("warned %q", hint)
	}
	any := start(t, receiver.Settings{CORSOrigins: []string{"*"}}, &memory{})
	if res := post(t, any, "/v1/traces", jsonType, "{}", "Origin", "https://x.example"); res.Header.Get("Access-Control-Allow-Origin") != "https://x.example" {
		t.Errorf("any origin: %v", res.Header)
	}
}
