package store

import (
	"cmp"
	"net/netip"
	"net/url"
	"strings"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/followspan/followspan/trace"
)

// request is what a span tells of a request, its path apart, which hardly two have in
// common.
type request struct {
	method             string // of HTTP
	service, rpcMethod string
	at                 hostPort // where it was sent
	cloud              bool     // it was sent to a service of AWS
}

func servedRequest(server trace.Span) request { return requestOf(server, servedAt(server)) }
func madeRequest(client trace.Span) request   { return requestOf(client, addressOf(client)) }

func requestOf(s trace.Span, at hostPort) request {
	return request{
		method: anyText(s, string(semconv.HTTPRequestMethodKey)), service: rpcService(s), rpcMethod: rpcMethod(s),
		at: at, cloud: text(s, rpcSystem) == cloudAPI,
	}
}

func (r request) clone() request {
	return request{strings.Clone(r.method), strings.Clone(r.service), strings.Clone(r.rpcMethod),
		hostPort{strings.Clone(r.at.host), strings.Clone(r.at.port)}, r.cloud}
}

// bytes is what its texts take.
func (r request) bytes() int64 {
	return int64(len(r.method) + len(r.service) + len(r.rpcMethod) + len(r.at.host) + len(r.at.port))
}

// fits reports whether nothing that both tell says that they are two requests.
func (r request) fits(call request) bool {
	if differ(r.method, call.method) || differ(r.service, call.service) || differ(r.rpcMethod, call.rpcMethod) || differ(r.at.port, call.at.port) {
		return false
	}
	if call.cloud && (call.rpcMethod != "Invoke" || r.method != "") {
		return false
	}
	// A name and an IP address may well be those of one server.
	return !differ(r.at.host, call.at.host) || isIP(r.at.host) != isIP(call.at.host)
}

// sameHost reports whether both went to one host, by the same name for it: a proxy may
// have changed the path.
func (r request) sameHost(call request) bool { return r.at.host != "" && r.at.host == call.at.host }

// differ reports whether both are told, and not alike.
func differ(a, b string) bool { return a != "" && b != "" && a != b }

const (
	rpcSystem = "rpc.system"
	// cloudAPI is the rpc.system of calls to the services of AWS. None of these is answered
	// by somebody's own server but where it invokes a function.
	cloudAPI = "aws-api"
)

// rpcMethod is the method without its service.
func rpcMethod(s trace.Span) string {
	name := text(s, string(semconv.RPCMethodKey))
	return name[strings.LastIndexByte(name, '/')+1:]
}

// servedAt is where a server was called. Its net.peer.name is the client's.
func servedAt(server trace.Span) hostPort {
	host := cmp.Or(text(server, string(semconv.ServerAddressKey)), text(server, "net.host.name"), text(server, "http.host"))
	return splitHost(host, cmp.Or(text(server, string(semconv.ServerPortKey)), text(server, "net.host.port")))
}

// pathOf is the path of the URL of a request, "" if it is not told.
func pathOf(s trace.Span) string {
	if full := anyText(s, string(semconv.URLFullKey)); full != "" {
		if u, err := url.Parse(full); err == nil {
			return u.Path
		}
	}
	if path, _, _ := strings.Cut(anyText(s, string(semconv.URLPathKey)), "?"); path != "" {
		return path
	}
	if service := rpcService(s); service != "" && grpcSystems[text(s, rpcSystem)] {
		return "/" + service + "/" + rpcMethod(s)
	}
	return ""
}

// grpcSystems are those whose URLs name the service and the method. Their servers may
// tell no more than the request of HTTP that it was.
var grpcSystems = map[string]bool{"grpc": true, "connect_rpc": true}

func isIP(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// differentPaths reports whether two paths are not those of one request, of which a proxy
// may have taken a prefix away, or put one before.
func differentPaths(a, b string) bool {
	a, b = strings.TrimRight(a, "/"), strings.TrimRight(b, "/")
	return !strings.HasSuffix(a, b) && !strings.HasSuffix(b, a)
}
