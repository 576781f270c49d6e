package store

import (
	"cmp"
	"net"
	"net/url"
	"strings"

	"github.com/followspan/followspan/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.39.0"
)

// peers is what was learned about who is instrumented: addresses that a server
// span answered at, services that sent spans, destinations that were consumed.
type peers struct {
	addresses map[string]bool
	services  map[string]bool
	servers   map[string]bool // services that answered somebody
	rpc       map[string]bool
	consumed  map[topic]bool
	// asked are flows that closed early without an answer of a peer that sent no span
	// by then; nil if there are none. See CloseOldest.
	asked map[peer][]*instance
	told  []*instance // of whose peers one has sent a span since
	// silent are those that were waited for in vain.
	silent map[peer]bool
	texts  int64 // bytes of the names in all of these
}

// peer is how a span names who is to answer it.
type peer struct{ kind, name string }

const (
	byAddress = "address"
	byRPC     = "rpc"
	byService = "service"
	byServer  = "server"
	byTopic   = "topic"
)

type topic struct{ system, destination string }

func topicOf(s trace.Span) topic {
	return topic{text(s, string(semconv.MessagingSystemKey)), destination(s)}
}

// clone is a topic that holds on to no block of spans.
func (t topic) clone() topic { return topic{strings.Clone(t.system), strings.Clone(t.destination)} }

func newPeers() peers {
	return peers{addresses: map[string]bool{}, services: map[string]bool{}, servers: map[string]bool{}, rpc: map[string]bool{}, consumed: map[topic]bool{}, silent: map[peer]bool{}}
}

func (p *peers) learn(v trace.View, n trace.Node) {
	span := v.Span(n)
	p.note(p.services, byService, span.Service())
	if caller, ok := v.Parent(n); ok {
		p.noteAnswered(v, caller)
	}
	switch span.Kind() {
	case trace.Server:
		p.note(p.servers, byServer, span.Service())
		if name := rpcService(span); name != "" {
			p.note(p.rpc, byRPC, name)
		}
		for client := range v.Causes(n) {
			p.noteAnswered(v, client)
		}
	case trace.Client:
		p.noteAnswered(v, n)
		if fetches(span) {
			p.noteConsumed(topicOf(span))
		}
	case trace.Consumer:
		p.noteConsumed(topicOf(span))
	}
}

// noteAnswered notes where a call was answered, whichever of the two came first.
func (p *peers) noteAnswered(v trace.View, n trace.Node) {
	if call := v.Span(n); call.Kind() == trace.Client && isAnswered(v, n, call) {
		p.note(p.addresses, byAddress, address(call))
	}
}

// fetches reports whether a client span fetched messages whose contexts it names.
func fetches(span trace.Span) bool {
	for range span.Links() {
		return span.Kind() == trace.Client && span.IsReceive()
	}
	return false
}

func (p *peers) noteConsumed(t topic) {
	if !p.consumed[t] {
		p.consumed[t.clone()] = true
		p.texts += int64(len(t.system) + len(t.destination))
		p.tell(peer{byTopic, t.system + " " + t.destination})
	}
}

// note adds a copy of name, which may lie in a block of spans.
func (p *peers) note(set map[string]bool, kind, name string) {
	if !set[name] {
		set[strings.Clone(name)] = true
		p.texts += int64(len(name))
		p.tell(peer{kind, name})
	}
}

// bytes is what the names take of memory. Flows that asked are booked elsewhere.
func (p *peers) bytes() int64 {
	names := len(p.addresses) + len(p.services) + len(p.rpc) + len(p.consumed) + len(p.silent)
	return int64(names)*peerBytes + p.texts
}

// tell finds the flows that had asked a peer of which nothing was known.
func (p *peers) tell(who peer) {
	p.told = append(p.told, p.asked[who]...)
	delete(p.asked, who)
}

// ask remembers that a flow closed without an answer to a span, and returns how many
// entries that takes.
func (p *peers) ask(in *instance, span trace.Span) (entries int) {
	if p.asked == nil {
		p.asked = map[peer][]*instance{}
	}
	for _, who := range asks(span) {
		if all := p.asked[who]; len(all) == 0 || all[len(all)-1] != in {
			p.asked[peer{who.kind, strings.Clone(who.name)}] = append(all, in)
			entries++
		}
	}
	return entries
}

// asks are the names of who is to answer a span.
func asks(span trace.Span) (all []peer) {
	if span.Kind() == trace.Producer {
		t := topicOf(span)
		return []peer{{byTopic, t.system + " " + t.destination}}
	}
	for _, who := range []peer{{byAddress, address(span)}, {byRPC, rpcService(span)}, {byService, peerService(span)}, {byServer, hostService(span)}} {
		if who.name != "" {
			all = append(all, who)
		}
	}
	return all
}

func peerService(client trace.Span) string { return anyText(client, "peer.service") }

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
	if name := peerService(client); name != "" && p.services[name] {
		return true
	}
	name := hostService(client)
	return name != "" && p.servers[name]
}

// hostService is the service that a client seems to call where a host is named like it
// within its network: as in stock:8080 and stock.shop.svc.cluster.local, and not as in
// stock.example.com.
func hostService(client trace.Span) string {
	labels := strings.Split(addressOf(client).host, ".")
	if len(labels) > 2 && labels[2] != "svc" && !privateZones[labels[len(labels)-1]] {
		return ""
	}
	return labels[0]
}

// privateZones are the ends of names that only a network of one's own knows.
var privateZones = map[string]bool{"local": true, "internal": true, "consul": true, "localhost": true, "test": true, "lan": true}

// hostPort is where a client called, as far as it says; of the port that its scheme has
// by itself it need not.
type hostPort struct{ host, port string }

// address is where a client called, "" if it does not say.
func address(client trace.Span) string {
	a := addressOf(client)
	if a.host == "" {
		return ""
	}
	return a.host + ":" + a.port
}

func addressOf(client trace.Span) hostPort {
	if host := anyText(client, string(semconv.ServerAddressKey)); host != "" {
		return splitHost(host, anyText(client, string(semconv.ServerPortKey)))
	}
	if full := anyText(client, string(semconv.URLFullKey)); full != "" {
		if u, err := url.Parse(full); err == nil {
			return hostPort{u.Hostname(), u.Port()}
		}
	}
	return hostPort{}
}

// splitHost takes the port off a host that stands with it.
func splitHost(host, port string) hostPort {
	if h, p, err := net.SplitHostPort(host); err == nil {
		return hostPort{h, cmp.Or(port, p)}
	}
	return hostPort{host, port}
}
