package conformance

import (
	"fmt"
	"strings"
)

// acceptedCases are requests that a receiver keeps whole, odd as they may be.
func acceptedCases() (all []Case) {
	const success, envelopes, future = "Full Success", "Empty Telemetry Envelopes", "Future Versions and Interoperability"
	const traceProto = "opentelemetry/proto/trace/v1/trace.proto"
	const commonProto = "opentelemetry/proto/common/v1/common.proto"
	attributes := make([]string, 10_000)
	for i := range attributes {
		attributes[i] = fmt.Sprintf(`{"key":"key.%d","value":{"intValue":"%d"}}`, i, i)
	}
	for _, c := range []struct {
		what, section, body string
		want                Answer
	}{
		{"one span", success, span(), accepted},
		{"an empty request", success, `{}`, empty},
		{"no resource", envelopes, `{"resourceSpans":[]}`, empty},
		{"a resource without scopes", envelopes, `{"resourceSpans":[{"resource":{}}]}`, empty},
		{"a scope without spans", envelopes, `{"resourceSpans":[{"scopeSpans":[{"scope":{"name":"x"}}]}]}`, empty},
		{"an empty envelope beside a full one", envelopes, strings.Replace(span(), `[{"resource"`, `[{},{"resource"`, 1), accepted},
		{"a span without a resource", traceProto, `{"resourceSpans":[{"scopeSpans":[{"spans":[{` + ids + `}]}]}]}`, accepted},
		{"two spans", success, spans(ids, `"traceId":"5b8efff798038103d269b633813fc60c","spanId":"0000000000000001"`), keeping(2)},
		{"a kind that is not known", future, span(`"kind":99`), accepted},
		{"a status code that is not known", future, span(`"status":{"code":77}`), accepted},
		{"end before start", traceProto, span(`"startTimeUnixNano":"2","endTimeUnixNano":"1"`), accepted},
		{"times of zero", traceProto, span(`"startTimeUnixNano":"0","endTimeUnixNano":"0"`), accepted},
		{"the largest times", traceProto, span(`"startTimeUnixNano":"18446744073709551615","endTimeUnixNano":"18446744073709551615"`), accepted},
		{"trace state and flags", traceProto, span(`"traceState":"a=1,b=2","flags":769`), accepted},
		{"a parent that is itself", traceProto, span(`"parentSpanId":"eee19b7ec3c1b174"`), accepted},
		{"events, links and counts of what was dropped", traceProto, span(
			`"events":[{"timeUnixNano":"1","name":"e","droppedAttributesCount":1}]`,
			`"links":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"0000000000000001","flags":256}]`,
			`"droppedAttributesCount":4294967295,"droppedEventsCount":2,"droppedLinksCount":3`), accepted},
		{"a string", commonProto, value(`{"stringValue":"ü"}`), accepted},
		{"a boolean", commonProto, value(`{"boolValue":true}`), accepted},
		{"the least integer", commonProto, value(`{"intValue":"-9223372036854775808"}`), accepted},
		{"a double", commonProto, value(`{"doubleValue":1.5}`), accepted},
		{"NaN", commonProto, value(`{"doubleValue":"NaN"}`), accepted},
		{"bytes", commonProto, value(`{"bytesValue":"AAEC/w=="}`), accepted},
		{"a list of different kinds", commonProto, value(`{"arrayValue":{"values":[{"intValue":"1"},{"stringValue":"a"},{}]}}`), accepted},
		{"a map within a map", commonProto, value(`{"kvlistValue":{"values":[{"key":"a","value":{"kvlistValue":{"values":[]}}}]}}`), accepted},
		{"a value of no kind", commonProto, value(`{}`), accepted},
		{"an empty key", commonProto, span(`"attributes":[{"key":"","value":{"intValue":"1"}}]`), accepted},
		{"10,000 attributes", commonProto, span(`"attributes":[` + strings.Join(attributes, ",") + `]`), accepted},
		{"a value of 1 MiB", commonProto, value(`{"stringValue":"` + strings.Repeat("x", 1<<20) + `"}`), accepted},
		{"lists nested 20 deep", commonProto, value(strings.Repeat(`{"arrayValue":{"values":[`, 20) + strings.Repeat(`]}}`, 20)), accepted},
	} {
		all = append(all, everywhere(c.what, c.section, c.body, c.want)...)
	}
	return all
}

// partialCases are requests of which a receiver rejects some spans. A span is valid
// only with a trace id and a span id that are not all zero.
func partialCases() (all []Case) {
	const section = "Partial Success; trace.proto: an all-zero id is invalid"
	zeroTrace := `"traceId":"00000000000000000000000000000000","spanId":"eee19b7ec3c1b174"`
	zeroSpan := `"traceId":"5b8efff798038103d269b633813fc60c","spanId":"0000000000000000"`
	for _, c := range []struct {
		what, body string
		want       Answer
	}{
		{"a trace id of zeros", spans(zeroTrace), rejecting(1, 0)},
		{"a span id of zeros", spans(zeroSpan), rejecting(1, 0)},
		{"no ids at all", spans(`"name":"x"`), rejecting(1, 0)},
		{"one bad span of three", spans(ids, zeroSpan, `"traceId":"5b8efff798038103d269b633813fc60c","spanId":"0000000000000001"`), rejecting(1, 2)},
	} {
		all = append(all, everywhere(c.what, section, c.body, c.want)...)
	}
	const length = "Partial Success; trace.proto: trace_id has 16 bytes, span_id has 8"
	for _, c := range []struct{ what, body string }{
		{"a trace id of 15 bytes", inSpan(field(1, traceID[1:]), field(2, spanID))},
		{"a trace id of 17 bytes", inSpan(field(1, traceID+"x"), field(2, spanID))},
		{"a span id of 4 bytes", inSpan(field(1, traceID), field(2, spanID[4:]))},
		{"a parent id of 16 bytes", inSpan(field(1, traceID), field(2, spanID), field(4, traceID))},
	} {
		all = append(all, inBinary(c.what, length, c.body, rejecting(1, 0))...)
	}
	return all
}
