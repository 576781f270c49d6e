package store

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/followspan/followspan/trace"
)

// roots are the strays above which nothing has arrived.
type roots struct {
	// servers and consumers handle something, and link to nothing: requests and messages
	// from outside, and those whose context was lost.
	servers   map[request]*strays
	consumers map[topic]map[reader]*strays
}

// reader is a service that consumes messages. Those that tell their id are apart: what
// tells that of a message which was sent has been joined to it, and is no root.
type reader struct {
	service string
	hasID   bool
}

func newRoots() roots {
	return roots{servers: map[request]*strays{}, consumers: map[topic]map[reader]*strays{}}
}

// add takes in a stray, if it is such, and returns by how many bytes the lists grew.
func (r *roots) add(v trace.View, n trace.Node, span trace.Span) int64 {
	if _, found := v.Parent(n); found {
		return 0
	}
	for range span.Links() {
		return 0
	}
	switch span.Kind() {
	case trace.Server:
		l, grown := r.serversOf(span)
		return grown + l.add(v, n, span.Start())
	case trace.Consumer:
		l, grown := r.consumersOf(span)
		return grown + l.add(v, n, span.Start())
	}
	return 0
}

// serversOf is the list on which a server belongs, and by how many bytes there are more
// of them.
func (r *roots) serversOf(span trace.Span) (l *strays, grown int64) {
	request := servedRequest(span)
	if l = r.servers[request]; l == nil {
		l = &strays{parentless: true}
		r.servers[request.clone()] = l
		grown = requestBytes + request.bytes()
	}
	return l, grown
}

// consumersOf is the list on which a consumer belongs, and by how many bytes there are
// more of them.
func (r *roots) consumersOf(span trace.Span) (l *strays, grown int64) {
	t, by := topicOf(span), reader{span.Service(), messageID(span) != ""}
	of := r.consumers[t]
	if of == nil {
		of = map[reader]*strays{}
		r.consumers[t.clone()] = of
		grown = topicBytes + int64(len(t.system)+len(t.destination))
	}
	if l = of[by]; l == nil {
		l = &strays{parentless: true}
		of[reader{strings.Clone(by.service), by.hasID}] = l
		grown += topicBytes + int64(len(by.service))
	}
	return l, grown
}

// Tolerances for the times of two processes, on one machine and on two.
const (
	sameClock   = time.Millisecond
	otherClocks = time.Second
)

// answer returns a root that may be the server's side of a call that has none: it
// belongs to no flow, happened within the call, and nothing that both sides tell
// says otherwise. Then the call's context was lost on the way, and what it caused is
// not seen where it belongs. Of several it is the first.
func (r *roots) answer(v trace.View, client trace.Span) []trace.Node {
	var found []trace.Node
	call, path := madeRequest(client), pathOf(client)
	for request, l := range r.servers {
		if !request.fits(call) {
			continue
		}
		anyPath := request.sameHost(call)
		n := l.first(v, client.Start().Add(-otherClocks), client.End().Add(otherClocks), func(server trace.Span) bool {
			return within(server, client) && (anyPath || !differentPaths(pathOf(server), path))
		})
		found = earlier(v, found, n)
	}
	return found
}

// delivery returns a root that may have consumed a message: of the same destination, in
// no flow, begun after the message was sent, of a service that is not known to have
// consumed it, and unless both say which message it was. Of several it is the first.
func (r *roots) delivery(v trace.View, producer trace.Span, consumed []string) []trace.Node {
	var found []trace.Node
	hasID := messageID(producer) != ""
	for by, l := range r.consumers[topicOf(producer)] {
		if hasID && by.hasID || slices.Contains(consumed, by.service) {
			continue
		}
		n := l.first(v, producer.Start().Add(-otherClocks), math.MaxUint64, func(consumer trace.Span) bool {
			return !startsBefore(consumer, producer)
		})
		found = earlier(v, found, n)
	}
	return found
}

// earlier is the one of a list, or n if that is not None and the first by its span.
func earlier(v trace.View, one []trace.Node, n trace.Node) []trace.Node {
	if n == trace.None || one != nil && v.Span(n).Compare(v.Span(one[0])) > 0 {
		return one
	}
	return []trace.Node{n}
}

// tolerance is by how much the times of two hosts may contradict an order.
func tolerance(a, b string) time.Duration {
	if a != "" && a == b {
		return sameClock
	}
	return otherClocks
}

// startsBefore reports whether a span started before another, whatever their clocks say
// that two hosts may differ by.
func startsBefore(span, other trace.Span) bool {
	return span.Start() < other.Start().Add(-tolerance(span.Resource().Host(), other.Resource().Host()))
}

func within(server, client trace.Span) bool {
	tolerance := tolerance(server.Resource().Host(), client.Resource().Host())
	return server.End().Sub(server.Start()) <= client.End().Sub(client.Start())+sameClock &&
		server.Start() >= client.Start().Add(-tolerance) && server.End() <= client.End().Add(tolerance)
}
