// Package otlptest makes up requests for benchmarks.
package otlptest

import (
	"bytes"
	"fmt"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// SpansPerRequest is how many spans a request has, of some 525 bytes each in protobuf.
const SpansPerRequest = 100

// blank stands in a template where spans differ: in ids and in texts.
const blank = "@@@@@@@@"

// Requests are requests as a busy service sends them, whose spans have 10
// attributes. All spans of all requests differ in their ids and in three texts.
type Requests struct {
	template []byte
	series   rune
	spans    int
}

// Protobuf returns requests in protobuf. Those of different series, a letter,
// differ too.
func Protobuf(series rune) *Requests {
	b, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(typical())
	return newRequests(b, err, series)
}

// JSON returns requests in JSON. The ids of a request's spans are all the same.
func JSON(series rune) *Requests {
	b, err := (&ptrace.JSONMarshaler{}).MarshalTraces(typical())
	return newRequests(b, err, series)
}

func newRequests(template []byte, err error, series rune) *Requests {
	if err != nil {
		panic(err) // the template is constant
	}
	return &Requests{template: template, series: series}
}

// Next returns one more request.
func (r *Requests) Next() []byte {
	body := bytes.Clone(r.template)
	blanks := bytes.Count(body, []byte(blank)) / SpansPerRequest
	for i, rest := 0, body; ; i++ {
		at := bytes.Index(rest, []byte(blank))
		if at < 0 {
			r.spans += SpansPerRequest
			return body
		}
		copy(rest[at:], fmt.Sprintf("%c%07d", r.series, r.spans+i/blanks))
		rest = rest[at:]
	}
}

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
	s.SetTraceID([16]byte([]byte("trace id" + blank)))
	s.SetSpanID([8]byte([]byte(blank)))
	s.SetParentSpanID([8]byte([]byte(fmt.Sprintf("parent%02d", i))))
	s.SetName("POST /api/v2/order/{id}")
	s.SetKind(ptrace.SpanKindServer)
	s.SetStartTimestamp(pcommon.Timestamp(1_700_000_000_000_000_000 + i*1_000_000))
	s.SetEndTimestamp(s.StartTimestamp() + 5_000_000)
	a := s.Attributes()
	a.PutStr("http.request.method", "POST")
	a.PutStr("url.path", "/api/v2/order/"+blank)
	a.PutStr("url.scheme", "https")
	a.PutStr("http.route", "/api/v2/order/{id}")
	a.PutStr("server.address", "checkout.shop.svc.cluster.local")
	a.PutInt("server.port", 8443)
	a.PutInt("http.response.status_code", 200)
	a.PutStr("enduser.id", "user-"+blank)
	a.PutStr("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36")
	a.PutStr("shop.order.number", "order-"+blank)
}
