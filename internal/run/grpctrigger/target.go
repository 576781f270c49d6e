package grpctrigger

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/followspan/followspan/internal/run"
)

// target is where a call goes.
type target struct {
	host, port string
	tls        bool
}

// parseTarget reads host:port, which is plaintext, as is grpc://host:port, while
// grpcs://host:port is TLS. Servers also print their address as an http or https
// URL, so these mean the same.
func parseTarget(s string) (target, *run.ActionError) {
	bad := func(why, try string) (target, *run.ActionError) {
		return target{}, invalid(fmt.Sprintf("%q is no target: %s", s, why), try)
	}
	var t target
	address := s
	if scheme, rest, ok := strings.Cut(s, "://"); ok {
		switch strings.ToLower(scheme) {
		case "grpcs", "https":
			t.tls = true
		case "grpc", "http":
		default:
			return bad(fmt.Sprintf("%q is neither grpc nor grpcs", scheme), "host:port is plaintext, grpcs://host:port is TLS")
		}
		address = strings.TrimSuffix(rest, "/")
	}
	if strings.ContainsAny(address, "/?#@ ") {
		return bad("it is more than a host and a port", "the path of a call is its method")
	}
	var err error
	if t.host, t.port, err = net.SplitHostPort(address); err != nil {
		return bad(addressProblem(err), "host:port, such as 127.0.0.1:9090")
	}
	if n, err := strconv.ParseUint(t.port, 10, 16); err != nil || n == 0 {
		return bad(fmt.Sprintf("%q is no port", t.port), "host:port, such as 127.0.0.1:9090")
	}
	if t.host == "" {
		return bad("it names no host", "127.0.0.1:"+t.port)
	}
	return t, nil
}

// addressProblem leaves out the address, which the reader knows.
func addressProblem(err error) string {
	var e *net.AddrError
	if errors.As(err, &e) {
		return e.Err
	}
	return err.Error()
}

// address is host:port.
func (t target) address() string { return net.JoinHostPort(t.host, t.port) }

// url is the target with a scheme that says how it is spoken to.
func (t target) url(scheme string) string { return scheme + "://" + t.address() }

// method is what is called.
type method struct{ service, name string }

// parseMethod reads package.Service/Method; a leading slash is allowed, since that
// is how it goes over the wire.
func parseMethod(s string) (method, *run.ActionError) {
	service, name, ok := strings.Cut(strings.TrimPrefix(s, "/"), "/")
	if ok && service != "" && name != "" && !strings.Contains(name, "/") {
		return method{service, name}, nil
	}
	try := "package.Service/Method"
	if i := strings.LastIndexByte(s, '.'); i > 0 && i < len(s)-1 && !strings.Contains(s, "/") {
		try = "did you mean " + s[:i] + "/" + s[i+1:] + "?"
	}
	return method{}, invalid(fmt.Sprintf("%q is no method of a service", s), try)
}

func (m method) String() string { return m.service + "/" + m.name }
