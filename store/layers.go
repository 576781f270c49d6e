package store

import (
	"iter"

	"github.com/followspan/followspan/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// isPart reports whether a client span is a part of a call that it lies in, and makes no
// request of its own, or is how a database was asked.
func isPart(v trace.View, n trace.Node, span trace.Span) bool {
	for n := range v.Around(n) {
		if outer := v.Span(n); isDatabase(outer) || !span.IsRequest() && (namesNobody(span) || samePeer(outer, span)) {
			return true
		}
	}
	return false
}

// isDatabase reports whether a database was called; these send no spans.
func isDatabase(client trace.Span) bool {
	return anyText(client, string(semconv.DBSystemNameKey)) != ""
}

// layers yields the spans that tell of the same call, or message, as n and may have been
// answered in its place: those inside, and those around with whose context it was sent.
func layers(v trace.View, n trace.Node) iter.Seq[trace.Node] {
	return func(yield func(trace.Node) bool) {
		span := v.Span(n)
		for m := range v.Inside(n) {
			inner := v.Span(m)
			if (namesNobody(span) || namesNobody(inner) || samePeer(span, inner)) && !yield(m) {
				return
			}
		}
		for m := range v.Around(n) {
			if (namesNobody(span) || samePeer(v.Span(m), span)) && !yield(m) {
				return
			}
		}
	}
}

// namesNobody reports whether a call does not say whom it asks, nor a message where it
// goes.
func namesNobody(span trace.Span) bool {
	if span.Kind() == trace.Producer {
		return destination(span) == ""
	}
	return len(asks(span)) == 0
}

// samePeer reports whether two client spans ask the same peer, or two producer spans send
// to the same destination.
func samePeer(a, b trace.Span) bool {
	if a.Kind() == trace.Producer {
		return destination(a) == destination(b)
	}
	if name := rpcService(a); name != "" && name == rpcService(b) {
		return true
	}
	if name := peerService(a); name != "" && name == peerService(b) {
		return true
	}
	x, y := addressOf(a), addressOf(b)
	return x.host != "" && x.host == y.host && !differ(x.port, y.port)
}
