package store

import (
	"cmp"
	"strings"

	"github.com/followspan/followspan/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.39.0"
)

// peers is what was learned about who is instrumented: addresses that a server
// span answered at, services that sent spans, destinations that were consumed.
type peers struct {
	addresses map[string]bool
	services  map[string]bool
	rpc       map[string]bool
	consumed  map[topic]bool
}

type topic struct{ system, destination string }

func topicOf(s trace.Span) topic {
	return topic{text(s, string(semconv.MessagingSystemKey)), destination(s)}
}

// clone is a topic that holds on to no block of spans.
func (t topic) clone() topic { return topic{strings.Clone(t.system), strings.Clone(t.destination)} }

func newPeers() peers {
	return peers{map[string]bool{}, map[string]bool{}, map[string]bool{}, map[topic]bool{}}
}

func (p *peers) learn(v trace.View, n trace.Node) {
	span := v.Span(n)
	note(p.services, span.Service())
	switch span.Kind() {
	case trace.Server:
		if name := rpcService(span); name != "" {
			note(p.rpc, name)
		}
		if client, ok := v.Parent(n); ok && v.Span(client).Kind() == trace.Client {
			p.addresses[address(v.Span(client))] = true
		}
	case trace.Client:
		for child := range v.Children(n) {
			if v.Span(child).Kind() == trace.Server {
				p.addresses[address(span)] = true
			}
		}
	case trace.Consumer:
		if t := topicOf(span); !p.consumed[t] {
			p.consumed[t.clone()] = true
		}
	}
}

// note adds a copy of s, which may lie in a block of spans.
func note(set map[string]bool, s string) {
	if !set[s] {
		set[strings.Clone(s)] = true
	}
}

// rpcService is the full name of the service that a call is about. Newer
// conventions fold it into rpc.method: package.Service/Method.
func rpcService(s trace.Span) string {
	if name := text(s, "rpc.service"); name != "" {
		return name
	}
	name, _, qualified := strings.Cut(text(s, string(semconv.RPCMethodKey)), "/")
	if !qualified {
		return ""
	}
	return name
}

func (p *peers) instrumented(client trace.Span) bool {
	if a := address(client); a != "" && p.addresses[a] {
		return true
	}
	if name := rpcService(client); name != "" && p.rpc[name] {
		return true
	}
	peer := cmp.Or(text(client, string(semconv.ServicePeerNameKey)), text(client, "peer.service"))
	return peer != "" && p.services[peer]
}

// address is where a client called, "" if it does not say.
func address(client trace.Span) string {
	host := text(client, string(semconv.ServerAddressKey))
	if host == "" {
		return ""
	}
	return host + ":" + text(client, string(semconv.ServerPortKey))
}
