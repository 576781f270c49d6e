package run

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/followspan/followspan/trace"
)

func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

// spanText is what tests compare of a span: one line a fact.
func spanText(s trace.SpanData) string {
	var b strings.Builder
	b.WriteString(s.TraceID.String() + "/" + s.ID.String() + " " + s.Kind.String() + " " + s.Name + " " + s.Status.String() + " " + strconv.Quote(s.StatusMessage) + "\n")
	for _, a := range s.Attrs {
		b.WriteString(a.Key + "=" + a.Value.String() + "\n")
	}
	return b.String()
}

func TestHTTPAction(t *testing.T) {
	var got *http.Request
	var body []byte
	clock := newHandClock()
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		clock.pass(30 * time.Millisecond)
		w.Header().Add("X-Order", "o-1")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"id":1}`)
	})
	a := &HTTPAction{
		URL: server.URL + "/check out?x=1", Body: []byte(`{"a":1}`), Clock: clock,
		Header: http.Header{"traceparent": {"mine"}, "Tracestate": {"mine"}, "baggage": {"a=b"}, "host": {"shop.example"}},
	}
	p := a.Do(t.Context(), testContext())
	if p.Err != nil {
		t.Fatal(p.Err)
	}

	sent := []string{got.Method, got.Host, got.Header.Get("Traceparent"), got.Header.Get("Tracestate"), got.Header.Get("Baggage"), got.UserAgent(), string(body)}
	if diff := cmp.Diff([]string{"POST", "shop.example", testTraceparent, "", "a=b,followspan.run.id=r1", "followspan", `{"a":1}`}, sent); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
	wantResponse := &Response{Status: 201, Header: p.Response.Header, Body: []byte(`{"id":1}`), Duration: 30 * time.Millisecond}
	if diff := cmp.Diff(wantResponse, p.Response); diff != "" || p.Response.Header.Get("x-order") != "o-1" {
		t.Errorf("response (-want +got):\n%s", diff)
	}
	address := server.Listener.Addr().(*net.TCPAddr)
	want := `30313233343536373839616263646566/4142434445464748 client POST /check%20out unset ""
http.request.method="POST"
url.full="http://` + address.String() + `/check%20out?x=1"
server.address="127.0.0.1"
server.port=` + strconv.Itoa(address.Port) + `
http.response.status_code=201
`
	if diff := cmp.Diff(want, spanText(p.Span)); diff != "" {
		t.Errorf("span (-want +got):\n%s", diff)
	}
	if p.Span.End.Sub(p.Span.Start) != 30*time.Millisecond {
		t.Errorf("span from %v to %v", p.Span.Start, p.Span.End)
	}
	step := Step{Kind: StepTrigger, Name: "POST " + server.URL + "/check%20out?x=1", Duration: 30 * time.Millisecond, ExitCode: -1}
	if diff := cmp.Diff(step, p.Step(a)); diff != "" {
		t.Errorf("step (-want +got):\n%s", diff)
	}
}

func TestHTTPActionMethod(t *testing.T) {
	for _, test := range []struct {
		action HTTPAction
		want   string
	}{
		{HTTPAction{URL: "http://h/"}, "GET http://h/"},
		{HTTPAction{URL: "http://h/", Body: []byte{}}, "POST http://h/"},
		{HTTPAction{URL: "http://u:secret@h", Method: "delete"}, "DELETE http://u:xxxxx@h"},
		{HTTPAction{URL: "http://h:x/"}, "GET http://h:x/"},
	} {
		if got := test.action.String(); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}

func TestHTTPActionAcceptsAnyStatus(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	p := (&HTTPAction{URL: server.URL, Clock: newHandClock()}).Do(t.Context(), testContext())
	if p.Err != nil || p.Response.Status != 500 || p.Span.Status != trace.Error || !strings.Contains(spanText(p.Span), "error.type=\"500\"\n") {
		t.Errorf("%v, %+v, span %s", p.Err, p.Response, spanText(p.Span))
	}
}

func TestHTTPActionDoesNotFollowRedirects(t *testing.T) {
	asked := 0
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked++
		http.Redirect(w, r, "/elsewhere", http.StatusSeeOther)
	})
	p := (&HTTPAction{URL: server.URL, Clock: newHandClock()}).Do(t.Context(), testContext())
	if p.Err != nil || asked != 1 || p.Response.Status != 303 || p.Response.Header.Get("Location") != "/elsewhere" {
		t.Errorf("asked %d times: %v, %+v", asked, p.Err, p.Response)
	}
}

func TestHTTPActionKeepsTheBeginningOfAHugeBody(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		for chunk := make([]byte, 1<<20); ; {
			if _, err := w.Write(chunk); err != nil {
				return // the client has had enough
			}
		}
	})
	p := (&HTTPAction{URL: server.URL, Clock: newHandClock()}).Do(t.Context(), testContext())
	if p.Err != nil || !p.Response.Cut || len(p.Response.Body) != DefaultMaxBody {
		t.Errorf("%v, cut %v, %d bytes", p.Err, p.Response.Cut, len(p.Response.Body))
	}
}

func TestHTTPActionKeepsABodyOfJustTheLimit(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "1234") })
	p := (&HTTPAction{URL: server.URL, MaxBody: 4, Clock: newHandClock()}).Do(t.Context(), testContext())
	if p.Err != nil || p.Response.Cut || string(p.Response.Body) != "1234" {
		t.Errorf("%v, %+v", p.Err, p.Response)
	}
}

// hangUp closes the connection of a request after having written something.
func hangUp(written string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, out, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = out.WriteString(written)
		_ = out.Flush()
		_ = conn.Close()
	}
}

func TestHTTPActionErrors(t *testing.T) {
	refused := refusing(t)
	silent, half := serve(t, hangUp("")), serve(t, hangUp("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"))
	noise, plain := serve(t, hangUp("hello\r\n\r\n")), serve(t, hangUp("HTTP/1.1 200 OK\r\n\r\n"))
	secure := httptest.NewUnstartedServer(nil)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	host := func(s *httptest.Server) string { return s.Listener.Addr().String() }
	for _, test := range []struct{ reason, url, class, want string }{
		{"nobody there", "http://" + refused + "/x", "connection_refused", "nothing listens on " + refused + " (is the system started, and is this its port?)"},
		{"unknown host", "http://no-such-host.invalid/", "name_resolution", `no host is found under the name "no-such-host.invalid"`},
		{"no proxy", "http://shop.example/", "proxy", "the proxy in the way to shop.example cannot be used: dial tcp 127.0.0.1:1: "},
		{"no answer", silent.URL, "connection_closed", host(silent) + " closed the connection before the answer was complete (did it crash?)"},
		{"half an answer", half.URL, "connection_closed", host(half) + " closed the connection before the answer was complete (did it crash?)"},
		{"not HTTP", noise.URL, "protocol", host(noise) + ` gave no usable answer: net/http: HTTP/1.x transport connection broken: malformed HTTP response "hello"`},
		{"not https", "https://" + host(plain), "tls", host(plain) + " speaks http, not https (http://" + host(plain) + ")"},
		{"untrusted", secure.URL, "tls", "the certificate of " + host(secure) + " is not trusted: x509: certificate signed by unknown authority"},
		{"no scheme", "localhost:80/x", "invalid_request", `"localhost:80/x" is no URL: it does not start with http:// or https:// (http://localhost:80/x)`},
		{"another scheme", "ftp://h/", "invalid_request", `"ftp://h/" is no URL: "ftp" is neither http nor https`},
		{"no host", "http:///x", "invalid_request", `"http:///x" is no URL: it names no host`},
		{"bad port", "http://h:x/", "invalid_request", `"http://h:x/" is no URL: invalid port ":x" after host`},
	} {
		p := (&HTTPAction{URL: test.url, Clock: newHandClock()}).Do(t.Context(), testContext())
		action, _ := p.Err.(*ActionError)
		if action == nil || action.Class != test.class || !strings.HasPrefix(action.Error(), test.want) {
			t.Errorf("%s: GET %s\n got %v\nwant %s: %s", test.reason, test.url, p.Err, test.class, test.want)
			continue
		}
		if p.Span.Status != trace.Error || p.Span.Start == 0 || !strings.Contains(spanText(p.Span), "error.type="+strconv.Quote(test.class)) {
			t.Errorf("%s: span %s", test.reason, spanText(p.Span))
		}
	}
}

func TestHTTPActionKeepsTheStatusOfHalfAnAnswer(t *testing.T) {
	server := serve(t, hangUp("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"))
	p := (&HTTPAction{URL: server.URL, Clock: newHandClock()}).Do(t.Context(), testContext())
	if p.Err == nil || p.Response.Status != 200 || string(p.Response.Body) != "abc" {
		t.Errorf("%v, %+v", p.Err, p.Response)
	}
}

func TestHTTPActionBadMethod(t *testing.T) {
	p := (&HTTPAction{URL: "http://h/", Method: "PO ST", Clock: newHandClock()}).Do(t.Context(), testContext())
	if p.Err == nil || p.Err.Error() != `net/http: invalid method "PO ST"` {
		t.Errorf("got %v", p.Err)
	}
}

// hanging answers with its head, and not before the client is gone with the rest.
func hanging(w http.ResponseWriter, r *http.Request) {
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

func TestHTTPActionTimesOut(t *testing.T) {
	server, clock := serve(t, hanging), newHandClock()
	go func() {
		clock.expect(DefaultHTTPTimeout)
		clock.pass(DefaultHTTPTimeout)
	}()
	p := (&HTTPAction{URL: server.URL, Clock: clock}).Do(t.Context(), testContext())
	want := server.Listener.Addr().String() + " gave no complete answer within 10s"
	if p.Err == nil || p.Err.Error() != want || p.Span.End.Sub(p.Span.Start) != DefaultHTTPTimeout {
		t.Errorf("got %v after %v, want %s", p.Err, p.Span.End.Sub(p.Span.Start), want)
	}
}

func TestHTTPActionIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		cancel()
		hanging(w, r)
	})
	p := (&HTTPAction{URL: server.URL, Clock: newHandClock()}).Do(ctx, testContext())
	if p.Err == nil || p.Err.Error() != "interrupted before the answer was complete" {
		t.Errorf("got %v", p.Err)
	}
}
