package grpctrigger

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/followspan/followspan/internal/run"
)

// peer is a target and how long one waits for it.
type peer struct {
	target
	limit time.Duration
}

// invalid is what is wrong before anything was sent that the flow could notice.
func invalid(what, try string) *run.ActionError {
	return &run.ActionError{Class: "invalid_request", What: what, Try: try}
}

// ended says that ctx ended before the answer was complete; nil if it did not.
func (p peer) ended(ctx context.Context) *run.ActionError {
	switch {
	case errors.Is(context.Cause(ctx), errTimeUp):
		return &run.ActionError{Class: "timeout", What: fmt.Sprintf("%s gave no complete answer within %v", p.address(), p.limit)}
	case ctx.Err() != nil:
		return &run.ActionError{Class: "interrupted", What: "interrupted before the answer was complete"}
	}
	return nil
}

// unreachable says why there is no connection. A nil err means that bytes could be
// exchanged, but the server did not begin to speak HTTP/2.
func (p peer) unreachable(ctx context.Context, err error) *run.ActionError {
	if e := p.ended(ctx); e != nil {
		return e
	}
	var (
		dns    *net.DNSError
		op     *net.OpError
		secure handshakeError
		out    = &run.ActionError{Class: "connect", Err: err}
	)
	switch {
	case errors.As(err, &secure):
		return p.insecure(secure)
	case errors.As(err, &dns):
		out.Class, out.What = "name_resolution", fmt.Sprintf("no host is found under the name %q", p.host)
		out.Try = "check the spelling; " + dns.Err
	case errors.Is(err, errRefused):
		out.Class, out.What = "connection_refused", "nothing listens on "+p.address()
		out.Try = "is the system started, and is this its port?"
	case errors.As(err, &op):
		out.What = fmt.Sprintf("cannot connect to %s: %v", p.address(), op.Err)
	case err != nil:
		out.What = fmt.Sprintf("cannot connect to %s: %v", p.address(), err)
	case p.tls:
		out.What = p.address() + " does not speak gRPC"
	default:
		out.What = p.address() + " does not speak gRPC in plaintext"
		out.Try = "with TLS the target is " + p.url("grpcs")
	}
	return out
}

// insecure says why TLS does not come about.
func (p peer) insecure(err error) *run.ActionError {
	var (
		cert   *tls.CertificateVerificationError
		record tls.RecordHeaderError
		out    = &run.ActionError{Class: "tls", Err: err}
	)
	switch {
	case errors.As(err, &cert):
		out.What = fmt.Sprintf("the certificate of %s is not trusted: %v", p.address(), cert.Err)
	case errors.As(err, &record):
		out.What, out.Try = p.address()+" speaks no TLS", p.url("grpc")
	default:
		out.What = fmt.Sprintf("no TLS with %s: %v", p.address(), err)
	}
	return out
}

// unanswered says why an exchange over a standing connection, which ended with
// err, brought no status of the server.
func (p peer) unanswered(ctx context.Context, seen *progress, err error) *run.ActionError {
	if e := p.ended(ctx); e != nil {
		return e
	}
	s := status.Convert(err)
	out := &run.ActionError{Class: "protocol", Err: err}
	switch {
	case tooLarge(s, seen):
		out.Class, out.What = "too_large", fmt.Sprintf("the reply of %s is larger than %d MiB", p.address(), maxReply>>20)
	case s.Code() == codes.Unavailable:
		out.Class, out.What = "connection_closed", p.address()+" closed the connection before the answer was complete"
		out.Try = "did it crash?"
	default:
		out.What = fmt.Sprintf("%s gave no usable answer: %s", p.address(), oneLine(s.Message()))
	}
	return out
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// tooLarge reports whether our own bound ended the exchange. A server that finds
// our message too large says the same, but without a header, since it did not
// come to handle the call.
func tooLarge(s *status.Status, seen *progress) bool {
	return s.Code() == codes.ResourceExhausted && seen.header.Load() && strings.HasPrefix(s.Message(), "grpc: received message")
}
