package recording

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func envelope(spans string) string {
	return `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeSpans":[{"spans":[` + spans + `]}]}]}`
}

// What tools in the field write, and the specification does not say.
func TestOTLPJSONAccepts(t *testing.T) {
	const id = `"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708"`
	const head = "shop  unspecified unset 0+0\n  0102030405060708090a0b0c0d0e0f10 0102030405060708 < 0000000000000000\n  resource service.name=\"shop\"\n"
	tests := []struct{ name, in, want string }{
		{"the least", envelope(`{` + id + `}`), head},
		{"ids in upper case", envelope(`{"traceId":"0102030405060708090A0B0C0D0E0F10","spanId":"0102030405060708"}`), head},
		{"ids in base64", envelope(`{"traceId":"AQIDBAUGBwgJCgsMDQ4PEA==","spanId":"AQIDBAUGBwg="}`), head},
		{"ids in base64 without padding", envelope(`{"traceId":"AQIDBAUGBwgJCgsMDQ4PEA","spanId":"AQIDBAUGBwg"}`), head},
		{"a trace id of 64 bits", envelope(`{"traceId":"090a0b0c0d0e0f10","spanId":"0102030405060708"}`),
			strings.ReplaceAll(head, "0102030405060708090a", "0000000000000000090a")},
		{"a trace id of 64 bits in base64", envelope(`{"traceId":"CQoLDA0ODxA=","spanId":"0102030405060708"}`),
			strings.ReplaceAll(head, "0102030405060708090a", "0000000000000000090a")},
		{"a parent that is empty, null or zero", envelope(`{` + id + `,"parentSpanId":""},{` + id + `,"parentSpanId":null},{` + id + `,"parentSpanId":"0000000000000000"}`), head + head + head},
		{"enums by name", envelope(`{` + id + `,"kind":"SPAN_KIND_CLIENT","status":{"code":"STATUS_CODE_ERROR","message":"no"}}`),
			strings.Replace(head, "unspecified unset 0+0", `client error 0+0 message="no"`, 1)},
		{"unknown enums", envelope(`{` + id + `,"kind":"SPAN_KIND_NEW","status":{"code":"STATUS_CODE_NEW"}},{` + id + `,"kind":99999,"status":{"code":-1}}`), head + head},
		{"times as numbers, strings and with an exponent", envelope(`{` + id + `,"startTimeUnixNano":"1000","endTimeUnixNano":3000},{` + id + `,"startTimeUnixNano":1e3,"endTimeUnixNano":"3000"}`),
			strings.Repeat(strings.Replace(head, "0+0", "1000+2000", 1), 2)},
		{"names as in the protobuf file", strings.NewReplacer("resourceSpans", "resource_spans", "scopeSpans", "scope_spans").Replace(
			envelope(`{"trace_id":"0102030405060708090a0b0c0d0e0f10","span_id":"0102030405060708","parent_span_id":"","start_time_unix_nano":1,"end_time_unix_nano":1}`)),
			strings.Replace(head, "0+0", "1+0", 1)},
		{"unknown fields, null and empty envelopes", `{"x":{"y":[1,2,"]}"]},"resourceSpans":[{"z":1,"resource":null,"scopeSpans":null},{"scopeSpans":[{},{"spans":null},null]}]}` + "\n" + envelope(`{`+id+`,"new":[{}]}`), head},
		{"the resource behind its spans", `{"resourceSpans":[{"scopeSpans":[{"spans":[{` + id + `}]}],"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]}}]}`, head},
		{"Tempo's API", strings.Replace(envelope(`{`+id+`}`), "resourceSpans", "batches", 1), head},
		{"Tempo's API, version 2", `{"trace":` + envelope(`{`+id+`}`) + `}`, head},
		{"Jaeger's API, version 3", `{"result":` + envelope(`{`+id+`}`) + `}`, head},
		{"a list of requests", `[` + envelope(`{`+id+`}`) + `,` + envelope(`{`+id+`}`) + `]`, head + head},
		{"one resource alone", strings.TrimSuffix(strings.TrimPrefix(envelope(`{`+id+`}`), `{"resourceSpans":[`), `]}`), head},
		{"a byte order mark", "\ufeff" + envelope(`{`+id+`}`), head},
		{"blank lines", "\n \n" + envelope(`{`+id+`}`) + "\n\n\r\n" + envelope(`{`+id+`}`) + "\r\n\n", head + head},
		{"a document over many lines", strings.NewReplacer("{", "{\n", "[", "[\n\t", ",", ",\n").Replace(envelope(`{` + id + `},{` + id + `}`)), head + head},
		{"several documents over many lines", strings.Repeat(strings.ReplaceAll(envelope(`{`+id+`}`), "{", "{\n"), 2), head + head},
		{"values", envelope(`{` + id + `,"attributes":[{"key":"s","value":{"stringValue":"a\u0000\"\\\ud83d"}},{"key":"i","value":{"intValue":"-9223372036854775808"}},
			{"key":"j","value":{"intValue":5}},{"key":"d","value":{"doubleValue":1.5}},{"key":"n","value":{"doubleValue":"NaN"}},{"key":"b","value":{"boolValue":true}},
			{"key":"y","value":{"bytesValue":"AP8="}},{"key":"e","value":{}},{"key":"v"},{"key":"l","value":{"arrayValue":{"values":[{"intValue":"1"},{}]}}},{"key":"l0","value":{"arrayValue":{}}},
			{"key":"m","value":{"kvlistValue":{"values":[{"key":"k","value":{"stringValue":"v"}}]}}}]}`),
			head + `  attrs s="a\x00\"\\�" i=-9223372036854775808 j=5 d=1.5 n=NaN b=true y=base64:AP8= e=empty v=empty l=[1, empty] l0=[] m={"k": "v"}` + "\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			spans, report := mustRead(t, []byte(tt.in))
			if diff := cmp.Diff(tt.want, describe(spans)); diff != "" {
				t.Errorf("spans (-want +got)\n%s", diff)
			}
			if report.Format != OTLPJSON {
				t.Errorf("the format is %q", report.Format)
			}
		})
	}
}
