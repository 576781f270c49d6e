package run

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/followspan/followspan/trace"
)

// Defaults of HTTPAction.
const (
	DefaultHTTPTimeout = 10 * time.Second
	DefaultMaxBody     = 10 << 20
)

// HTTPAction sends one request. A redirect is not followed: it is what the
// system answered, and the status and its Location can be asserted.
type HTTPAction struct {
	Method string // empty is GET, or POST with a body
	URL    string
	Header http.Header // traceparent and tracestate are always ours
	Body   []byte
	// Timeout is for all of it, until the body has been read; 0 is
	// DefaultHTTPTimeout.
	Timeout time.Duration
	// MaxBody is how much of the answer's body is kept; 0 is DefaultMaxBody.
	MaxBody   int64
	UserAgent string // empty is "followspan"
	Clock     Clock
}

// String returns METHOD URL, without a password.
func (a *HTTPAction) String() string {
	if u, err := url.Parse(a.URL); err == nil {
		return a.method() + " " + u.Redacted()
	}
	return a.method() + " " + a.URL
}

func (a *HTTPAction) method() string {
	switch {
	case a.Method != "":
		return strings.ToUpper(a.Method)
	case a.Body != nil:
		return http.MethodPost
	}
	return http.MethodGet
}

// Do sends the request. Its error is an *ActionError.
func (a *HTTPAction) Do(ctx context.Context, t TraceContext) Performed {
	p := Performed{Span: ownSpan(t, a.method(), textAttr("http.request.method", a.method())), ExitCode: -1}
	request, err := a.request(t)
	if request != nil {
		describe(&p.Span, request)
	}
	began := a.Clock.Now()
	if err == nil {
		p.Response, err = a.exchange(ctx, request)
	}
	took := a.Clock.Now().Sub(began)
	p.Span.Start = trace.TimeOf(began)
	p.Span.End = p.Span.Start.Add(took) // of one reading of the wall clock, which may be set in between
	if p.Response != nil {
		p.Response.Duration = took
		p.Span.Attrs = append(p.Span.Attrs, intAttr("http.response.status_code", p.Response.Status))
	}
	if err != nil {
		p.Err = err
		failSpan(&p.Span, err.Class, err.What)
	} else if p.Response.Status >= 400 {
		failSpan(&p.Span, strconv.Itoa(p.Response.Status), "")
	}
	return p
}

// describe adds what the semantic conventions for HTTP clients say of a request.
func describe(s *trace.SpanData, r *http.Request) {
	full := *r.URL
	if full.User != nil {
		full.User = url.UserPassword("REDACTED", "REDACTED")
	}
	s.Name += " " + (&url.URL{Path: cmp.Or(r.URL.Path, "/")}).EscapedPath()
	s.Attrs = append(s.Attrs, textAttr("url.full", full.String()),
		textAttr("server.address", r.URL.Hostname()), intAttr("server.port", port(r.URL)))
}

func port(u *url.URL) int {
	if n, err := strconv.Atoi(u.Port()); err == nil {
		return n
	}
	if u.Scheme == "https" {
		return 443
	}
	return 80
}

func (a *HTTPAction) request(t TraceContext) (*http.Request, *ActionError) {
	u, bad := parseURL(a.URL)
	if bad != nil {
		return nil, bad
	}
	r, err := http.NewRequest(a.method(), u.String(), bytes.NewReader(a.Body))
	if err != nil {
		return nil, &ActionError{Class: "invalid_request", What: err.Error(), Err: err}
	}
	a.setHeader(r, t)
	return r, nil
}

func (a *HTTPAction) setHeader(r *http.Request, t TraceContext) {
	for name, values := range a.Header {
		for _, v := range values {
			r.Header.Add(name, v)
		}
	}
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host
	}
	if r.Header.Get("User-Agent") == "" {
		r.Header.Set("User-Agent", cmp.Or(a.UserAgent, "followspan"))
	}
	r.Header.Del("Tracestate")
	if p := t.Traceparent(); p != "" {
		r.Header.Set("Traceparent", p)
	}
	if b := t.Baggage(strings.Join(r.Header.Values("Baggage"), ",")); b != "" {
		r.Header.Set("Baggage", b)
	}
}

// exchange sends the request and reads the answer. The response is not nil if
// its head arrived, though its body be incomplete.
func (a *HTTPAction) exchange(ctx context.Context, request *http.Request) (*Response, *ActionError) {
	limit := cmp.Or(a.Timeout, DefaultHTTPTimeout)
	ctx, cancel := withTimeout(ctx, a.Clock, limit)
	defer cancel()
	answer, err := newHTTPClient().Do(request.WithContext(ctx))
	if err != nil {
		return nil, explainHTTP(ctx, request.URL, limit, err)
	}
	defer func() { _ = answer.Body.Close() }()
	r := &Response{Status: answer.StatusCode, Header: answer.Header}
	most := cmp.Or(a.MaxBody, DefaultMaxBody)
	r.Body, err = io.ReadAll(io.LimitReader(answer.Body, most+1))
	if int64(len(r.Body)) > most {
		r.Body, r.Cut = r.Body[:most:most], true
	}
	if err != nil {
		return r, explainHTTP(ctx, request.URL, limit, err)
	}
	return r, nil
}

// newHTTPClient returns a client whose connection ends with its answer: one
// that is kept would be tried again behind our back when it turns out dead.
func newHTTPClient() *http.Client {
	return &http.Client{
		// ProxyFromEnvironment leaves localhost and loopback addresses alone.
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
