package run

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// parseURL accepts absolute URLs of HTTP only.
func parseURL(s string) (*url.URL, *ActionError) {
	invalid := func(why, try string) (*url.URL, *ActionError) {
		return nil, &ActionError{Class: "invalid_request", What: fmt.Sprintf("%q is no URL: %s", s, why), Try: try}
	}
	u, err := url.Parse(s)
	var parsing *url.Error
	switch {
	case errors.As(err, &parsing):
		return invalid(parsing.Err.Error(), "")
	case !strings.Contains(s, "://"):
		return invalid("it does not start with http:// or https://", "http://"+s)
	case u.Scheme != "http" && u.Scheme != "https":
		return invalid(fmt.Sprintf("%q is neither http nor https", u.Scheme), "")
	case u.Hostname() == "":
		return invalid("it names no host", "")
	}
	return u, nil
}

// explainHTTP turns what the client says into what a person can act on. The
// context is that of the request, limited by limit.
func explainHTTP(ctx context.Context, u *url.URL, limit time.Duration, err error) *ActionError {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err // without the method and the URL, which the reader knows
	}
	var (
		dns  *net.DNSError
		op   *net.OpError
		cert *tls.CertificateVerificationError
		out  = &ActionError{Err: err}
	)
	switch {
	case errors.Is(context.Cause(ctx), errTimeUp):
		out.Class, out.What = "timeout", fmt.Sprintf("%s gave no complete answer within %v", u.Host, limit)
	case ctx.Err() != nil:
		out.Class, out.What = "interrupted", "interrupted before the answer was complete"
	case errors.As(err, &op) && op.Op == "proxyconnect":
		out.Class, out.What = "proxy", fmt.Sprintf("the proxy in the way to %s cannot be used: %v", u.Host, op.Err)
		out.Try = "add the host to NO_PROXY"
	case errors.As(err, &dns):
		out.Class, out.What = "name_resolution", fmt.Sprintf("no host is found under the name %q", u.Hostname())
		out.Try = "check the spelling; " + dns.Err
	case errors.Is(err, errRefused):
		out.Class, out.What = "connection_refused", "nothing listens on "+hostPort(u)
		out.Try = "is the system started, and is this its port?"
	case errors.As(err, &cert):
		out.Class, out.What = "tls", fmt.Sprintf("the certificate of %s is not trusted: %v", u.Host, cert.Err)
	case errors.Is(err, http.ErrSchemeMismatch):
		out.Class, out.What, out.Try = "tls", u.Host+" speaks http, not https", "http://"+u.Host
	case errors.As(err, &op) && op.Op == "dial":
		out.Class, out.What = "connect", fmt.Sprintf("cannot connect to %s: %v", hostPort(u), op.Err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, errReset):
		out.Class, out.What = "connection_closed", u.Host+" closed the connection before the answer was complete"
		out.Try = "did it crash?"
	default:
		out.Class, out.What = "protocol", fmt.Sprintf("%s gave no usable answer: %v", u.Host, err)
	}
	return out
}

func hostPort(u *url.URL) string { return net.JoinHostPort(u.Hostname(), fmt.Sprint(port(u))) }
