package grpctrigger

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/followspan/followspan/internal/run"
)

// connection is one connection to a server. It is never opened anew, so that
// nothing can be sent twice.
type connection struct {
	*grpc.ClientConn
	peer   peer
	dialer *dialer
}

// connect returns once the server has spoken HTTP/2. Proxies of the environment
// are not used.
func connect(ctx context.Context, p peer) (*connection, *run.ActionError) {
	d := &dialer{}
	security := insecure.NewCredentials()
	if p.tls {
		security = handshake{credentials.NewTLS(&tls.Config{ServerName: p.host}), d}
	}
	client, err := grpc.NewClient("passthrough:///"+p.address(),
		grpc.WithContextDialer(d.dial), grpc.WithTransportCredentials(security),
		grpc.WithDisableRetry(), grpc.WithDisableServiceConfig(),
		grpc.WithStatsHandler(observer{}), grpc.WithUserAgent("followspan"),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxReply)))
	if err != nil {
		return nil, invalid(err.Error(), "")
	}
	c := &connection{client, p, d}
	if !c.ready(ctx) {
		c.close()
		return nil, p.unreachable(ctx, d.failure())
	}
	return c, nil
}

func (c *connection) close() { _ = c.Close() } // of no interest once there is an answer

// ready waits until the connection stands, or reports false.
func (c *connection) ready(ctx context.Context) bool {
	for {
		state := c.GetState()
		switch state {
		case connectivity.Ready:
			return true
		case connectivity.TransientFailure, connectivity.Shutdown:
			return false
		case connectivity.Idle: // not begun, or lost already, in which case it fails
			c.Connect()
		}
		if !c.WaitForStateChange(ctx, state) {
			return false
		}
	}
}

// dialer dials once and remembers what went wrong, which gRPC would say only in
// words.
type dialer struct {
	mu     sync.Mutex
	dialed bool
	err    error
}

var errDialed = errors.New("the connection is lost")

func (d *dialer) dial(ctx context.Context, address string) (net.Conn, error) {
	if !d.first() {
		return nil, errDialed
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	d.note(err)
	return conn, err
}

func (d *dialer) first() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	first := !d.dialed
	d.dialed = true
	return first
}

func (d *dialer) note(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err == nil {
		d.err = err
	}
}

// failure returns why there is no connection, or nil if bytes could be exchanged.
func (d *dialer) failure() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}

// handshake is TLS whose failure is noted.
type handshake struct {
	credentials.TransportCredentials
	dialer *dialer
}

// ClientHandshake is that of TLS.
func (h handshake) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := h.TransportCredentials.ClientHandshake(ctx, authority, raw)
	if err != nil {
		h.dialer.note(handshakeError{err})
	}
	return conn, info, err
}

// handshakeError marks what went wrong after the connection stood.
type handshakeError struct{ error }

func (e handshakeError) Unwrap() error { return e.error }
