package conformance

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// badCases are requests that cannot be decoded: a retry does not mend them.
func badCases() (all []Case) {
	const section = "Bad Data; Failures"
	good := inProtobuf(span(`"name":"order"`))
	logs := field(1, field(2, field(2, "\x09\x01\x02\x03\x04\x05\x06\x07\x08")))
	for _, c := range []struct{ what, body string }{
		{"half a request", good[:len(good)/2]},
		{"a request without its last byte", good[:len(good)-1]},
		{"no protobuf", "not protobuf at all"},
		{"JSON as protobuf", span()},
		{"gzip that nothing announces", packed("gzip", good)},
		{"a tag without a value", good + "\x0a"},
		{"wire type 6", good + "\x0e"},
		{"wire type 7", good + "\x0f"},
		{"field number 0", good + "\x02\x00"},
		{"a varint without end", good + "\x08" + strings.Repeat("\xff", 11)},
		{"a length beyond the end", good + "\x0a\xff\xff\xff\xff\x0f"},
		{"a length beyond 64 bits", good + "\x0a" + strings.Repeat("\xff", 10) + "\x01"},
		{"a group without end", good + "\x0b"},
		{"lists nested a million deep", nested(1_000_000)},
		{"logs in place of spans", logs},
	} {
		all = append(all, inBinary(c.what, section, c.body, badData)...)
	}
	lists, ends := strings.Repeat(`{"arrayValue":{"values":[`, 1_000_000), strings.Repeat(`]}}`, 1_000_000)
	for _, c := range []struct{ what, body string }{
		{"half a request", span()[:80]},
		{"an empty body", ""},
		{"no JSON", "not JSON at all"},
		{"protobuf as JSON", good},
		{"a second request behind the first", span() + span()},
		{"rubbish behind the request", span() + "]"},
		{"a list in place of the request", "[" + span() + "]"},
		{"text in place of a list", `{"resourceSpans":"none"}`},
		{"a list in place of text", span(`"name":["a"]`)},
		{"text in place of a number", span(`"droppedLinksCount":"many"`)},
		{"an id that is not hexadecimal", spans(`"traceId":"5b8efff798038103d269b633813fc60g","spanId":"eee19b7ec3c1b174"`)},
		{"bytes that are not base64", value(`{"bytesValue":"***"}`)},
		{"lists nested a million deep", value(lists + ends)},
		{"logs in place of spans", `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1"}]}]}]}`},
	} {
		all = append(all, request(JSON, c.what, section, c.body, badData))
	}
	return all
}

// nested is a request with n lists within each other in an attribute.
func nested(n int) string {
	const list, values, value, attributes, resource, resourceSpans = 5, 1, 2, 1, 1, 1
	numbers := []protowire.Number{resourceSpans, resource, attributes, value}
	for range n {
		numbers = append(numbers, list, values)
	}
	heads, size := make([][]byte, len(numbers)), 0
	for i, number := range slices.Backward(numbers) { // a length is known when all that is within is
		heads[i] = protowire.AppendVarint(protowire.AppendTag(nil, number, protowire.BytesType), uint64(size))
		size += len(heads[i])
	}
	return string(slices.Concat(heads...))
}

// protobufCases are about the encoding alone.
func protobufCases() (all []Case) {
	const section, encoding = "Binary Protobuf Encoding", "Protocol Buffers, Encoding"
	good := inProtobuf(span())
	for _, c := range []struct {
		what, body string
		want       Answer
	}{
		{"a resource behind its spans", field(1, field(2, field(2, field(1, traceID), field(2, spanID))), field(1, "")), accepted},
		{"two requests in one", good + inSpan(field(1, traceID), field(2, "\x01"+spanID[1:])), keeping(2)},
		{"an unknown varint", good + "\xf8\x07\x01", accepted},
		{"an unknown fixed64", good + "\xf9\x07\x01\x02\x03\x04\x05\x06\x07\x08", accepted},
		{"unknown bytes", good + field(127, "future"), accepted},
		{"an unknown fixed32", good + "\xfd\x07\x01\x02\x03\x04", accepted},
		{"an unknown field of a span", inSpan(field(1, traceID), field(2, spanID), field(99, "future")), accepted},
		{"a name twice: the last counts", inSpan(field(1, traceID), field(2, spanID), field(5, "a"), field(5, "b")), accepted},
		{"a varint longer than it need be", inSpan(field(1, traceID), field(2, spanID), "\x30\x82\x80\x80\x00"), accepted},
	} {
		where := encoding
		if strings.Contains(c.what, "unknown") {
			where = section + "; Future Versions and Interoperability"
		}
		all = append(all, inBinary(c.what, where, c.body, c.want)...)
	}
	return all
}

// jsonCases are about the encoding alone.
func jsonCases() (all []Case) {
	const section, mapping = "JSON Protobuf Encoding", "JSON Protobuf Encoding; proto3 JSON Mapping"
	for _, c := range []struct {
		what, section, body string
		want                Answer
	}{
		{"ids in upper case", section, spans(`"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174"`), accepted},
		{"enums as integers", section, span(`"kind":2,"status":{"code":1}`), accepted},
		{"unknown fields", section, span(`"future":{"a":[1,null,{"b":"c"}]}`), accepted},
		{"unknown fields of the request", section, `{"future":[1],"resourceSpans":[{"future":null}]}`, empty},
		{"original field names, which are unknown", section, `{"resource_spans":[{"scope_spans":[]}]}`, empty},
		{"64-bit integers as numbers", section, span(`"startTimeUnixNano":1544712660000000000`), accepted},
		{"64-bit integers as text", section, span(`"startTimeUnixNano":"1544712660000000000"`), accepted},
		{"an integer value as a number", section, value(`{"intValue":3}`), accepted},
		{"null for text and numbers", mapping, span(`"name":null,"kind":null,"startTimeUnixNano":null`), accepted},
		{"null for lists and messages", mapping, span(`"attributes":null,"status":null,"events":null`), accepted},
		{"null for a resource", mapping, `{"resourceSpans":[{"resource":null,"scopeSpans":null}]}`, empty},
		{"null for a value", mapping, value(`null`), accepted},
		{"null for the list of resources", mapping, `{"resourceSpans":null}`, empty},
		{"infinity", mapping, value(`{"doubleValue":"Infinity"}`), accepted},
		{"negative infinity", mapping, value(`{"doubleValue":"-Infinity"}`), accepted},
		{"a double as text", mapping, value(`{"doubleValue":"1.5e3"}`), accepted},
		{"bytes without padding", mapping, value(`{"bytesValue":"AAEC/w"}`), accepted},
		{"white space around everything", "RFC 8259, 2", " \r\n\t" + strings.ReplaceAll(span(), ":", " :\n") + "\n ", accepted},
		{"escapes", "RFC 8259, 7", span(`"name":"\u00fc\ud83d\ude00\n\"\/"`), accepted},
		{"a fraction that is an integer", mapping, span(`"droppedLinksCount":1.0`), accepted},
	} {
		all = append(all, request(JSON, c.what, c.section, c.body, c.want))
	}
	return all
}
