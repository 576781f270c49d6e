package store

import (
	"cmp"
	"regexp"

	"github.com/followspan/followspan/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// gaveUp reports whether a call failed because the caller did not wait for its end, or
// lost the connection: the callee may have done what it was asked to, and may still be
// at it. A call that was refused, or whose connection never came about, was not done.
func gaveUp(call trace.Span) bool {
	switch anyText(call, "rpc.response.status_code") {
	case "1", "CANCELLED", "4", "DEADLINE_EXCEEDED":
		return true
	}
	switch anyText(call, string(semconv.HTTPResponseStatusCodeKey)) {
	case "408", "499", "504":
		return true
	}
	if leftOpen(text(call, string(semconv.ErrorTypeKey))) || leftOpen(call.StatusMessage()) {
		return true
	}
	for e := range call.Events() {
		for _, key := range []string{string(semconv.ExceptionTypeKey), string(semconv.ExceptionMessageKey)} {
			if v, ok := e.Attr(key); ok && leftOpen(v.Str()) {
				return true
			}
		}
	}
	return false
}

// gotAnswer reports whether a call failed with an answer of somebody who had begun to do
// what was asked.
func gotAnswer(call trace.Span) bool {
	code := cmp.Or(anyText(call, "rpc.response.status_code"), anyText(call, string(semconv.HTTPResponseStatusCodeKey)))
	return code != "" && code != "0" && !refusals[code]
}

// refusals are status codes, of HTTP and of gRPC, that come of what stands before the
// handler of a request: proxies, and servers that know no such method.
var refusals = map[string]bool{
	"401": true, "403": true, "404": true, "405": true, "407": true, "413": true, "429": true, "502": true, "503": true,
	"7": true, "PERMISSION_DENIED": true, "8": true, "RESOURCE_EXHAUSTED": true, "12": true, "UNIMPLEMENTED": true, "14": true, "UNAVAILABLE": true,
	"16": true, "UNAUTHENTICATED": true,
}

var (
	// broken is how clients of many languages say that they got no answer.
	broken      = regexp.MustCompile(`(?i)time.?out|timed out|deadline.?exceeded|cancel|abort|reset by peer|connreset|connection.?reset|broken pipe|hang up|\beof\b`)
	unconnected = regexp.MustCompile(`(?i)connect(ion)?.?time.?out|connection timed out|dial tcp|connectexception|connrefused`)
)

func leftOpen(why string) bool { return broken.MatchString(why) && !unconnected.MatchString(why) }
