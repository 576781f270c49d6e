package trace

import "iter"

// One call is often told by several client spans of a service, one within the other:
// those of a framework, of the HTTP client that it uses, and of the connection. Only
// one of them is the server's parent: the innermost that sent its context. Messages have
// producer spans likewise. These are the layers of the call, or of the message.

// maxLayers is how far apart two layers may be.
const maxLayers = 3

// Around yields the client spans that a client span lies in and that may be layers of the
// same call, from the innermost on; of any other span those of its kind.
func (v View) Around(n Node) iter.Seq[Node] {
	return func(yield func(Node) bool) {
		call := v.Span(n)
		p, ok := v.Parent(n)
		for deep := 0; ok && deep < maxLayers; deep++ {
			outer := v.Span(p)
			if leaves(outer, call) || outer.Kind() == call.Kind() && !yield(p) {
				return
			}
			p, ok = v.Parent(p)
		}
	}
}

// Inside yields those that lie in it.
func (v View) Inside(n Node) iter.Seq[Node] {
	return func(yield func(Node) bool) { v.eachInside(n, v.Span(n), maxLayers, yield) }
}

func (v View) eachInside(n Node, call Span, deep int, yield func(Node) bool) bool {
	if deep == 0 {
		return true
	}
	for m := range v.Children(n) {
		inner := v.Span(m)
		if leaves(inner, call) {
			continue
		}
		if inner.Kind() == call.Kind() && !yield(m) || !v.eachInside(m, call, deep-1, yield) {
			return false
		}
	}
	return true
}

// leaves reports whether a span is neither a layer of a call, as far as its kind says, nor
// work of its service between two layers.
func leaves(span, call Span) bool {
	return span.Service() != call.Service() || span.Kind() != call.Kind() && span.Kind() != Internal && span.Kind() != KindUnspecified
}

// IsRequest reports whether a client span says what was asked for, as those of the parts
// of a call do not, such as the look-up of the host's name.
func (s Span) IsRequest() bool {
	for _, key := range requestKeys {
		if _, ok := s.Attr(key); ok {
			return true
		}
	}
	return s.Kind() == Producer
}

var requestKeys = append(Aliases("http.request.method"), "rpc.method")
