package conformance

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/protobuf/encoding/protowire"
)

const ids = `"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174"`

// span is a request with one span, in JSON, with further fields.
func span(fields ...string) string { return spans(strings.Join(append([]string{ids}, fields...), ",")) }

// spans is a request with spans of these fields.
func spans(each ...string) string {
	return `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},` +
		`"scopeSpans":[{"scope":{"name":"conformance"},"spans":[{` + strings.Join(each, "},{") + `}]}]}]}`
}

// value is a request with a span that has one attribute.
func value(v string) string { return span(`"attributes":[{"key":"k","value":` + v + `}]`) }

// everywhere is a request that can be sent over each transport, with one answer. It
// is written in JSON.
func everywhere(what, section, body string, want Answer) []Case {
	return []Case{
		request(GRPC, what, section, inProtobuf(body), want),
		request(Protobuf, what, section, inProtobuf(body), want),
		request(JSON, what, section, body, want),
	}
}

// inBinary is a request in protobuf, for the two transports that take it.
func inBinary(what, section, body string, want Answer) []Case {
	return []Case{request(GRPC, what, section, body, want), request(Protobuf, what, section, body, want)}
}

// overHTTP is a request for the two encodings of HTTP.
func overHTTP(what, section string, with func(*Case)) []Case {
	two := []Case{
		request(Protobuf, what, section, inProtobuf(span()), accepted),
		request(JSON, what, section, span(), accepted),
	}
	for i := range two {
		with(&two[i])
	}
	return two
}

func request(t Transport, what, section, payload string, want Answer) Case {
	c := Case{Transport: t, What: what, Section: section, Method: "POST", Path: tracesPath, Payload: payload, Want: want}
	if t == GRPC {
		c.Method, c.Path = exportMethod, ""
	}
	return c
}

const (
	traceID = "\x5b\x8e\xff\xf7\x98\x03\x81\x03\xd2\x69\xb6\x33\x81\x3f\xc6\x0c"
	spanID  = "\xee\xe1\x9b\x7e\xc3\xc1\xb1\x74"
)

// field is a length-delimited field of protobuf.
func field(number int, content ...string) string {
	b := protowire.AppendTag(nil, protowire.Number(number), protowire.BytesType)
	return string(protowire.AppendString(b, strings.Join(content, "")))
}

// inSpan is a request with one span of these fields, in protobuf.
func inSpan(fields ...string) string { return field(1, field(2, field(2, fields...))) }

// inProtobuf is a request that is written in JSON, in protobuf.
func inProtobuf(body string) string {
	td, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces([]byte(body))
	if err != nil {
		panic(err) // the table is constant
	}
	b, err := ptraceotlp.NewExportRequestFromTraces(td).MarshalProto()
	if err != nil {
		panic(err)
	}
	return string(b)
}
