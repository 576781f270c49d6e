package lang

import (
	"slices"

	"github.com/followspan/followspan/trace"
)

// A service often has several spans of one call: of a framework and of the HTTP server
// below it, of a batch that was received and of each message in it; and where it calls,
// those of [trace.View.Around]. For a call that is counted, one of them stands.

// isEntry reports whether a call arrives with a server or consumer span: not with one
// that is within another of its process that tells of the same, nor with that of a batch
// in which each message has its own.
func (f *Frame) isEntry(n trace.Node, operation string) Value {
	if isReceive(f.span(n)) {
		if f.Open {
			return unknown(edgePending)
		}
		for range f.View.Inside(n) {
			return no
		}
		return yes
	}
	service, process := f.span(n).Service(), f.span(n).Resource().Process()
	for at := n; ; {
		if f.span(at).IsRemote() {
			return yes
		}
		p, state := f.parentOf(at)
		if state == awaited {
			return unknown(edgePending)
		}
		if f.step(1); state != arrived || f.span(p).Service() != service || f.span(p).Resource().Process() != process || f.leaves(p) {
			return yes
		}
		if k := f.span(p).Kind(); k == trace.Server || k == trace.Consumer {
			return boolValue(isReceive(f.span(p)) || !f.does(p, operation))
		}
		at = p
	}
}

// isReceive reports whether a consumer span tells no more than that messages were fetched.
func isReceive(s trace.Span) bool { return s.Kind() == trace.Consumer && s.IsReceive() }

// isFetch reports whether messages arrive with a client span, which is what fetching them
// is by now: where no consumer span tells of the same.
func (f *Frame) isFetch(n trace.Node) Value {
	if f.Open {
		return unknown(edgePending)
	}
	consumes := func(m trace.Node) bool {
		f.step(1)
		return f.span(m).Kind() == trace.Consumer && f.span(m).Service() == f.span(n).Service()
	}
	fetched := no
	for cause := range f.causesOf(n) {
		fetched = yes
		for m := range f.effectsOf(cause) {
			if consumes(m) {
				return no
			}
		}
	}
	for m := range f.childrenOf(n) {
		if consumes(m) {
			return no
		}
	}
	return fetched
}

// isToldElsewhere reports whether another span tells of the same call as a client or a
// producer span: a request within it, or one around that it is a part of.
func (f *Frame) isToldElsewhere(n trace.Node, same func(trace.Node) bool) bool {
	for m := range f.View.Inside(n) {
		if f.step(1); f.span(m).IsRequest() && same(m) {
			return true
		}
	}
	if f.span(n).IsRequest() {
		return false
	}
	for m := range f.View.Around(n) {
		if same(m) {
			return true
		}
	}
	return false
}

// samePeer reports whether a calling span has a name for its peer that another has, too.
func (f *Frame) samePeer(a, b trace.Node) bool {
	names := f.Peers(a)
	return slices.ContainsFunc(f.Peers(b), func(name string) bool { return slices.Contains(names, name) })
}
