// Package otlptest makes up requests for benchmarks.
package otlptest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"regexp"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// SpansPerRequest is how many spans a request has, of some 525 bytes each in
// protobuf, and SpansPerTrace how many of them make a trace: a root, which is the
// last as it ends last, and its children.
const (
	SpansPerRequest = 100
	SpansPerTrace   = 10
)

// Requests are requests as a busy service sends them, whose spans have 10
// attributes. All spans of all requests differ in their ids and in three texts.
type Requests struct {
	template []byte
	blanks   []blank
	times    []int // where there are times, in protobuf
	series   rune
	spans    int // so far
}

// blank is where a template wants the number of a span.
type blank struct {
	at   int
	span func(n int) int // whose number, for the n-th of all spans
	n    int             // the span of the template that it belongs to
}

// Blanks in the template: what they want and the number of their span.
const (
	ownBlank   = "@@@@@@%02d"
	rootBlank  = "^^^^^^%02d"
	traceBlank = "######%02d"
)

var blanks = regexp.MustCompile(`([@^#])[@^#]{5}(\d\d)`)

var wants = map[string]func(n int) int{
	"@": func(n int) int { return n },
	"^": func(n int) int { return n/SpansPerTrace*SpansPerTrace + SpansPerTrace - 1 },
	"#": func(n int) int { return n / SpansPerTrace },
}

// Protobuf returns requests in protobuf. Those of different series, a letter,
// differ too.
func Protobuf(series rune) *Requests {
	b, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(typical())
	r := newRequests(b, err, series)
	for i := range SpansPerRequest {
		for _, t := range []int{start(i), start(i) + duration} {
			r.times = append(r.times, bytes.Index(b, binary.LittleEndian.AppendUint64(nil, uint64(t))))
		}
	}
	return r
}

// JSON returns requests in JSON. The ids and times of their spans are all the same.
func JSON(series rune) *Requests {
	b, err := (&ptrace.JSONMarshaler{}).MarshalTraces(typical())
	return newRequests(b, err, series)
}

func newRequests(template []byte, err error, series rune) *Requests {
	if err != nil {
		panic(err) // the template is constant
	}
	r := &Requests{template: template, series: series}
	for _, at := range blanks.FindAllSubmatchIndex(template, -1) {
		n, _ := strconv.Atoi(string(template[at[4]:at[5]])) // two digits
		r.blanks = append(r.blanks, blank{at[0], wants[string(template[at[2]:at[3]])], n})
	}
	return r
}

// Next returns one more request.
func (r *Requests) Next() []byte {
	body := bytes.Clone(r.template)
	for _, b := range r.blanks {
		copy(body[b.at:], fmt.Sprintf("%c%07d", r.series, b.span(r.spans+b.n)))
	}
	for _, at := range r.times {
		t := binary.LittleEndian.Uint64(body[at:])
		binary.LittleEndian.PutUint64(body[at:], t+uint64(start(r.spans)-start(0)))
	}
	r.spans += SpansPerRequest
	return body
}

// start is when a span starts, in nanoseconds; it lasts for duration.
func start(span int) int { return 1_700_000_000_000_000_000 + span*1_000_000 }

const duration = 5_500_000

func typical() ptrace.Traces {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	for i, key := range []string{"service.name", "service.instance.id", "host.id", "telemetry.sdk.language"} {
		rs.Resource().Attributes().PutStr(key, fmt.Sprint("checkout-", i))
	}
	ss := rs.ScopeSpans().AppendEmpty()
	ss.Scope().SetName("go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp")
	for i := range SpansPerRequest {
		fill(ss.Spans().AppendEmpty(), i)
	}
	return td
}

func fill(s ptrace.Span, i int) {
	own := fmt.Sprintf(ownBlank, i)
	s.SetTraceID([16]byte([]byte("trace id" + fmt.Sprintf(traceBlank, i))))
	s.SetSpanID([8]byte([]byte(own)))
	s.SetKind(ptrace.SpanKindServer)
	if i%SpansPerTrace < SpansPerTrace-1 {
		s.SetParentSpanID([8]byte([]byte(fmt.Sprintf(rootBlank, i))))
		s.SetKind(ptrace.SpanKindInternal)
	}
	s.SetName("POST /api/v2/order/{id}")
	s.SetStartTimestamp(pcommon.Timestamp(start(i)))
	s.SetEndTimestamp(pcommon.Timestamp(start(i) + duration))
	a := s.Attributes()
	a.PutStr("http.request.method", "POST")
	a.PutStr("url.path", "/api/v2/order/"+own)
	a.PutStr("url.scheme", "https")
	a.PutStr("http.route", "/api/v2/order/{id}")
	a.PutStr("server.address", "checkout.shop.svc.cluster.local")
	a.PutInt("server.port", 8443)
	a.PutInt("http.response.status_code", 200)
	a.PutStr("enduser.id", "user-"+own)
	a.PutStr("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36")
	a.PutStr("shop.order.number", "order-"+own)
}
