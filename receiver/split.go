package receiver

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
)

// preface are the first bytes of every HTTP/2 connection (RFC 9113, 3.4).
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// tlsHandshake is the first byte of a TLS connection.
const tlsHandshake = 0x16

// splitter accepts connections and deals them to a gRPC and an HTTP server by
// their first bytes. It knows every open connection and can close them all.
type splitter struct {
	grpc, http *connQueue
	tls        *tls.Config // nil: no TLS
	most       int         // open connections
	patience   time.Duration
	hint       func(key, text string) bool
	running    sync.WaitGroup

	mu        sync.Mutex
	listeners []net.Listener
	conns     map[*conn]struct{}
	closing   bool // no new connection
}

func newSplitter(settings Settings, hint func(key, text string) bool) *splitter {
	s := &splitter{grpc: newConnQueue(), http: newConnQueue(), most: settings.MaxConnections, patience: settings.ReadTimeout, hint: hint, conns: map[*conn]struct{}{}}
	if settings.TLS != nil {
		s.tls = negotiating(settings.TLS)
	}
	return s
}

// serve accepts connections of l until stopAccepting.
func (s *splitter) serve(l net.Listener) {
	s.listeners = append(s.listeners, l)
	s.running.Go(func() { s.accept(l) })
}

func (s *splitter) accept(l net.Listener) {
	for pause := time.Duration(0); ; {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			// Such as too many open files, which passes: wait, as net/http does.
			s.hint("accept", fmt.Sprintf("cannot accept connections on %s: %v", l.Addr(), err))
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			time.Sleep(pause)
			continue
		}
		pause = 0
		if c := s.track(c); c != nil {
			s.running.Go(func() { s.deal(c) })
		}
	}
}

// track returns nil if the splitter takes no more connections.
func (s *splitter) track(c net.Conn) *conn {
	t, full := s.add(c)
	if full {
		s.hint("connections", fmt.Sprintf("%d connections are open, which is the limit: one of %s was closed", s.most, c.RemoteAddr()))
	}
	if t == nil {
		_ = c.Close() // nothing was said on it
	}
	return t
}

func (s *splitter) add(c net.Conn) (t *conn, full bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing || len(s.conns) >= s.most {
		return nil, !s.closing
	}
	t = &conn{Conn: c, splitter: s}
	s.conns[t] = struct{}{}
	return t, false
}

// secure replaces a connection by the one within its TLS.
func (s *splitter) secure(c *conn) (*conn, error) {
	inner := tls.Server(c, s.tls)
	t := &conn{Conn: inner, splitter: s}
	s.mu.Lock()
	s.conns[t] = struct{}{} // in place of c, which closes with it
	delete(s.conns, c)
	closing := s.closing
	s.mu.Unlock()
	if closing {
		return t, net.ErrClosed
	}
	return t, inner.Handshake() // within the deadline of the first bytes
}

// deal reads the first bytes of c and hands it to the server that speaks them.
func (s *splitter) deal(c *conn) {
	q := s.sniff(&c)
	if q == nil || !q.put(c) {
		_ = c.Close() // the sender sees it
	}
}

// sniff returns nil for a connection that says nothing in time or what nobody
// understands. Where TLS is spoken, c becomes the connection within.
func (s *splitter) sniff(c **conn) *connQueue {
	if (*c).SetReadDeadline(time.Now().Add(s.patience)) != nil {
		return nil
	}
	if s.tls != nil && !s.handshake(c) {
		return nil
	}
	head := (*c).peek()
	switch {
	case head == "":
		return nil
	case head[0] == tlsHandshake:
		s.hint("tls", fmt.Sprintf("%s speaks TLS, but this endpoint does not: use an http:// endpoint, or set OTEL_EXPORTER_OTLP_INSECURE=true", (*c).RemoteAddr()))
		return nil
	case (*c).SetReadDeadline(time.Time{}) != nil:
		return nil
	case head == preface:
		(*c).busy.Store(true)
		return s.grpc
	}
	return s.http
}

// handshake reports whether c speaks TLS now.
func (s *splitter) handshake(c **conn) bool {
	head := (*c).peek()
	switch {
	case head == "":
		return false
	case head[0] != tlsHandshake:
		s.hint("plain", fmt.Sprintf("%s speaks plain text, but this endpoint speaks TLS: use an https:// endpoint and set OTEL_EXPORTER_OTLP_CERTIFICATE", (*c).RemoteAddr()))
		if head != preface {
			_, _ = io.WriteString(*c, plainAnswer) // it may have gone
		}
		return false
	}
	secured, err := s.secure(*c)
	*c = secured
	if err == nil {
		return true
	}
	if !hungUp(err) {
		s.hint("handshake "+source{address: secured.RemoteAddr().String()}.host(), handshakeHint(secured.RemoteAddr().String(), err))
	}
	return false
}

// hungUp reports whether a sender went away or said nothing, rather than that it
// disagrees.
func hungUp(err error) bool {
	var gone syscall.Errno
	return errors.As(err, &gone) || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded)
}

// plainAnswer is what HTTP/1 gets from an endpoint that speaks TLS.
const plainAnswer = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n" +
	"this endpoint speaks TLS: use https://\n"

// stopAccepting closes the listeners, and the connections on which no request has
// begun.
func (s *splitter) stopAccepting() {
	for _, l := range s.listeners {
		_ = l.Close() // it is gone either way
	}
	s.mu.Lock()
	s.closing = true
	s.mu.Unlock()
	s.each(func(c *conn) {
		if !c.busy.Load() {
			_ = c.Close() // the sender sees it
		}
	})
}

// close ends all connections and returns when no goroutine is left.
func (s *splitter) close() {
	s.stopAccepting()
	s.each(func(c *conn) { _ = c.Close() }) // the sender sees it
	_ = s.grpc.Close()                      // never an error
	_ = s.http.Close()
	s.running.Wait()
}

// each calls f for every open connection, without the lock: f may close it.
func (s *splitter) each(f func(*conn)) {
	s.mu.Lock()
	open := slices.Collect(maps.Keys(s.conns))
	s.mu.Unlock()
	for _, c := range open {
		f(c)
	}
}

// cut ends the connection of a peer.
func (s *splitter) cut(peer string) {
	s.each(func(c *conn) {
		if c.RemoteAddr().String() == peer {
			_ = c.Close() // the sender sees it
		}
	})
}
