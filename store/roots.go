package store

import (
	"time"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/followspan/followspan/trace"
)

// roots are the strays that handle something and name neither a parent nor a link:
// requests and messages from outside, and those whose context was lost.
type roots struct {
	servers   strays
	consumers map[topic]*strays
}

func (r *roots) add(v trace.View, n trace.Node, span trace.Span) {
	if !span.ParentID().IsZero() {
		return
	}
	for range span.Links() {
		return
	}
	switch span.Kind() {
	case trace.Server:
		r.servers.add(v, n, span.Start())
	case trace.Consumer:
		if r.consumers == nil {
			r.consumers = map[topic]*strays{}
		}
		t := topicOf(span)
		if r.consumers[t] == nil {
			r.consumers[t.clone()] = &strays{}
		}
		r.consumers[t].add(v, n, span.Start())
	}
}

// Tolerances for the times of two processes, on one machine and on two.
const (
	sameClock   = time.Millisecond
	otherClocks = time.Second
)

// answer returns a root that may be the server's side of a call that has none: it
// belongs to no flow, happened within the call, and nothing that both sides tell
// says otherwise. Then the call's context was lost on the way, and what it caused is
// not seen where it belongs.
func (r *roots) answer(v trace.View, client trace.Span) []trace.Node {
	first := r.servers.from(client.Start().Add(-otherClocks))
	for _, one := range r.servers.all[first:] {
		if one.start > client.End().Add(otherClocks) {
			break
		}
		if server := v.Span(one.node); !joined(v, one.node) && within(server, client) && agree(server, client) {
			return []trace.Node{one.node}
		}
	}
	return nil
}

// delivery returns a root that may have consumed a message: from the same
// destination, in no flow, and begun after the message was sent.
func (r *roots) delivery(v trace.View, producer trace.Span) []trace.Node {
	l := r.consumers[topicOf(producer)]
	if l == nil {
		return nil
	}
	for _, one := range l.all[l.from(producer.Start().Add(-otherClocks)):] {
		if !joined(v, one.node) {
			return []trace.Node{one.node}
		}
	}
	return nil
}

func within(server, client trace.Span) bool {
	tolerance := otherClocks
	if h := server.Resource().Host(); h != "" && h == client.Resource().Host() {
		tolerance = sameClock
	}
	return server.End().Sub(server.Start()) <= client.End().Sub(client.Start())+sameClock &&
		server.Start() >= client.Start().Add(-tolerance) && server.End() <= client.End().Add(tolerance)
}

// told are the attributes that both sides of a call have in common if they have them.
var told = []string{
	string(semconv.ServerAddressKey), string(semconv.ServerPortKey), string(semconv.HTTPRequestMethodKey), "rpc.service", string(semconv.RPCMethodKey),
}

func agree(server, client trace.Span) bool {
	for _, key := range told {
		if a, b := text(server, key), text(client, key); a != "" && b != "" && a != b {
			return false
		}
	}
	return true
}
