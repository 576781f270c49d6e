package receiver_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/followspan/followspan/receiver"
)

// Requests beyond MaxRequests are answered at once: try again.
func TestMaxRequests(t *testing.T) {
	sink := newSlow()
	s := start(t, receiver.Settings{MaxRequests: 1, RetryAfter: 1500 * time.Millisecond}, sink)
	client, first := exporter(t, s), make(chan error)
	go func() {
		_, err := client.Export(t.Context(), batch(0, 1))
		first <- err
	}()
	<-sink.entered
	_, err := call(t, s, inProtobuf(t, batch(1, 1)))
	wantStatus(t, err, codes.Unavailable, "RetryInfo")
	for _, path := range []string{"/v1/traces", "/v1/metrics"} {
		res := post(t, s, path, jsonType, "{}")
		wantFailure(t, path, res, http.StatusTooManyRequests, jsonType, codes.Unavailable)
		if after := res.Header.Get("Retry-After"); after != "2" {
			t.Errorf("Retry-After: %q, want 2", after)
		}
	}
	close(sink.proceed)
	if err := <-first; err != nil {
		t.Error(err)
	}
	if _, err := call(t, s, inProtobuf(t, batch(1, 1))); err != nil {
		t.Errorf("after the first request: %v", err)
	}
	wantRefused(t, s, receiver.Refused{Reason: "asked to retry", Requests: 3})
}

// What is in flight is bounded over all requests, not for each.
func TestMaxInFlightBytes(t *testing.T) {
	sink := newSlow()
	s := start(t, receiver.Settings{MaxInFlightBytes: 200_000, MaxRequestBytes: 200_000}, sink)
	large := batch(0, 2000)
	client, first := exporter(t, s), make(chan error)
	go func() {
		_, err := client.Export(t.Context(), large)
		first <- err
	}()
	<-sink.entered
	res := post(t, s, "/v1/traces", protobufType, inProtobuf(t, large))
	wantFailure(t, "HTTP", res, http.StatusTooManyRequests, protobufType, codes.Unavailable)
	_, err := call(t, s, inProtobuf(t, batch(1, 1)))
	wantStatus(t, err, codes.Unavailable, "RetryInfo")
	close(sink.proceed)
	if err := <-first; err != nil {
		t.Error(err)
	}
	for range 3 { // what was reserved was given back
		res := post(t, s, "/v1/traces", protobufType, inProtobuf(t, large))
		if _, err := call(t, s, inProtobuf(t, large)); err != nil || res.StatusCode != 200 {
			t.Errorf("afterwards: %s, %v", res.Status, err)
		}
		res = post(t, s, "/v1/traces", protobufType, strings.Repeat("\n\x00", 100_001))
		wantFailure(t, "too large", res, 413, protobufType, codes.ResourceExhausted)
	}
}

func TestMaxConnections(t *testing.T) {
	warned := make(chan string, 1)
	s := start(t, receiver.Settings{MaxConnections: 3, Warn: func(h string) { warned <- h }}, &memory{})
	var open []net.Conn
	for range 3 {
		c := dial(t, s.GRPCAddr())
		if _, err := io.WriteString(c, "POST /v1/tr"); err != nil {
			t.Fatal(err)
		}
		open = append(open, c)
	}
	if _, err := dial(t, s.HTTPAddr()).Read(make([]byte, 1)); err == nil {
		t.Error("a connection too many was answered")
	}
	if hint := <-warned; !strings.Contains(hint, "3 connections are open") {
		t.Errorf("warned %q", hint)
	}
	for _, c := range open {
		c.Close()
	}
	for {
		if res, err := send(t.Context(), s, http.MethodPost, "/v1/traces", "{}", "Content-Type", jsonType); err == nil {
			if res.StatusCode != 200 {
				t.Error(res.Status)
			}
			return // the server has seen that the others hung up
		}
	}
}

// What a request may hold is set where the server is.
func TestLimitsOfRequests(t *testing.T) {
	span := func(attributes, events string) string {
		return `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"01020304050607080102030405060708","spanId":"0102030405060708",` +
			`"attributes":[` + attributes + `],"events":[` + events + `]}]}]}]}`
	}
	attribute := func(value string) string { return `{"key":"k","value":` + value + `}` }
	one, two := attribute(`{"intValue":1}`), attribute(`{"intValue":1}`)+","+attribute(`{"intValue":1}`)
	for _, c := range []struct {
		why        string
		settings   receiver.Settings
		good, bad  string
		refusedAll bool
	}{
		{"attributes", receiver.Settings{MaxAttributes: 1}, span(one, ""), span(two, ""), false},
		{"events", receiver.Settings{MaxEvents: 1}, span("", "{}"), span("", "{},{}"), false},
		{"elements", receiver.Settings{MaxElements: 1}, span(one, ""), span(two, ""), true},
		{"objects", receiver.Settings{MaxObjects: 6}, span(one, ""), span(two, ""), true},
		{"nesting", receiver.Settings{MaxNesting: 1}, span(attribute(`{"arrayValue":{"values":[]}}`), ""),
			span(attribute(`{"arrayValue":{"values":[{"arrayValue":{"values":[]}}]}}`), ""), true},
	} {
		sink := &memory{}
		s := start(t, c.settings, sink)
		if res := post(t, s, "/v1/traces", jsonType, c.good); res.StatusCode != 200 || res.body != "{}" {
			t.Errorf("%s, within the limit: %s %s", c.why, res.Status, res.body)
		}
		res := post(t, s, "/v1/traces", jsonType, c.bad)
		if c.refusedAll {
			wantFailure(t, c.why, res, 400, jsonType, codes.InvalidArgument)
		} else if res.StatusCode != 200 || !strings.Contains(res.body, `"rejectedSpans":"1"`) {
			t.Errorf("%s, beyond the limit: %s %s", c.why, res.Status, res.body)
		}
		wantSpans(t, sink, 1)
	}
}

func dial(t *testing.T, address net.Addr) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// halfExport begins a gRPC request: the preface, SETTINGS and HEADERS of HTTP/2.
func halfExport() string {
	const settings, headers = 4, 1
	frame := func(typ, flags byte, stream byte, body string) string {
		return string([]byte{0, 0, byte(len(body)), typ, flags, 0, 0, 0, stream}) + body
	}
	literal := func(name, value string) string { // RFC 7541, 6.2.2
		return "\x00" + string(rune(len(name))) + name + string(rune(len(value))) + value
	}
	half := frame(headers, 4, 1, literal(":method", "POST")+literal(":scheme", "http")+
		literal(":path", "/opentelemetry.proto.collector.trace.v1.TraceService/Export")+literal(":authority", "x")+
		literal("content-type", "application/grpc")+literal("te", "trailers"))
	return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(settings, 0, 0, "") + half
}

// Senders that do not finish what they began do not keep others out for long.
func TestUnfinishedRequestsMakeRoom(t *testing.T) {
	warned := make(chan string, 1)
	s := start(t, receiver.Settings{ReadTimeout: time.Hour, MaxRequestBytes: 1000, MaxInFlightBytes: 3000, Warn: func(h string) { warned <- h }}, &memory{})
	for range 100 {
		if _, err := io.WriteString(dial(t, s.GRPCAddr()), halfExport()); err != nil {
			t.Fatal(err)
		}
	}
	body := inProtobuf(t, batch(0, 1))
	for exported := false; !exported; { // by an exporter that retries
		_, err := exporter(t, s).Export(t.Context(), batch(0, 1))
		exported = err == nil
		if err != nil {
			wantStatus(t, err, codes.Unavailable, "RetryInfo")
		}
	}
	if res := post(t, s, "/v1/traces", protobufType, body); res.StatusCode != 200 {
		t.Errorf("HTTP: %s", res.Status)
	}
	if hint := <-warned; !strings.Contains(hint, "did not finish it") {
		t.Errorf("warned %q", hint)
	}
}

// A sender that stops in the midst of a request is cut off, whatever it speaks,
// and what it had reserved is free for others.
func TestReadTimeout(t *testing.T) {
	for _, c := range []struct{ why, bytes string }{
		{"nothing", ""},
		{"half a preface", "PRI * HTTP/2"},
		{"half a header", "POST /v1/traces HTTP/1.1\r\nHost:"},
		{"half a body", "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{"},
		{"half a gRPC request", halfExport()},
	} {
		s := start(t, receiver.Settings{ReadTimeout: 20 * time.Millisecond, MaxRequestBytes: 1000, MaxInFlightBytes: 1000}, &memory{})
		conn := dial(t, s.GRPCAddr())
		if _, err := io.WriteString(conn, c.bytes); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, conn); err != nil {
			t.Logf("%s: %v", c.why, err) // a reset is an end as well
		}
		if _, err := exporter(t, s).Export(t.Context(), batch(0, 1)); err != nil {
			t.Errorf("%s: afterwards: %v", c.why, err)
		}
	}
}

func TestOverlongHeaders(t *testing.T) {
	s := start(t, receiver.Settings{}, &memory{})
	long := strings.Repeat("x", 1<<20)
	res, err := send(t.Context(), s, http.MethodPost, "/v1/traces", "{}", "Content-Type", jsonType, "X-Long", long)
	// The answer is lost where the connection is cut while the header is sent.
	if err == nil && res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("HTTP: %s", res.Status)
	}
	ctx := metadata.AppendToOutgoingContext(t.Context(), "x-long", long)
	if _, err := exporter(t, s).Export(ctx, batch(0, 1)); err == nil {
		t.Error("gRPC: a header of 1 MiB was accepted")
	}
	if _, err := call(t, s, ""); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestToken(t *testing.T) {
	warned := make(chan string, 10)
	s := start(t, receiver.Settings{Token: "s3cret", CORSOrigins: []string{"*"}, Warn: func(h string) { warned <- h },
		Routes: map[string]http.Handler{"/page": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "page") })}}, &memory{})
	for _, header := range []string{"", "Bearer wrong", "Bearer s3cre", "Bearer s3crets", "Basic s3cret", "s3cret"} {
		var headers []string
		if header != "" {
			headers = []string{"Authorization", header}
		}
		for _, path := range []string{"/v1/traces", "/v1/logs", "/"} {
			res := post(t, s, path, jsonType, "{}", headers...)
			message := wantFailure(t, path+" with "+header, res, http.StatusUnauthorized, jsonType, codes.Unauthenticated)
			if !strings.Contains(message, "OTEL_EXPORTER_OTLP_HEADERS") || res.Header.Get("WWW-Authenticate") != "Bearer" {
				t.Errorf("%s: %q, %v", header, message, res.Header)
			}
		}
		if res := do(t, s, http.MethodGet, "/page", "", headers...); res.StatusCode != http.StatusUnauthorized {
			t.Errorf("the page with %q: %s", header, res.Status)
		}
		_, err := exporter(t, s).Export(withAuthorization(t.Context(), header), batch(0, 1))
		wantStatus(t, err, codes.Unauthenticated)
	}
	for _, header := range []string{"Bearer s3cret", "bearer s3cret"} {
		if res := post(t, s, "/v1/traces", jsonType, "{}", "Authorization", header); res.StatusCode != 200 {
			t.Errorf("%s: %s", header, res.Status)
		}
		if _, err := exporter(t, s).Export(withAuthorization(t.Context(), header), batch(0, 1)); err != nil {
			t.Errorf("gRPC, %s: %v", header, err)
		}
	}
	res := do(t, s, http.MethodOptions, "/v1/traces", "", "Origin", "http://x", "Access-Control-Request-Method", "POST")
	if res.StatusCode != http.StatusNoContent {
		t.Errorf("a preflight, which browsers send without a token: %s", res.Status)
	}
	wantRefused(t, s, receiver.Refused{Reason: "no token", Requests: 5}, receiver.Refused{Reason: "wrong token", Requests: 25})
	if hint := <-warned; !strings.Contains(hint, "authorization=Bearer%20<token>") {
		t.Errorf("warned %q", hint)
	}
	for len(warned) > 0 {
		if hint := <-warned; strings.Contains(hint, "s3cret") {
			t.Errorf("a hint tells the token: %q", hint)
		}
	}
}

func withAuthorization(ctx context.Context, header string) context.Context {
	if header == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", header)
}
