package receiver

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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
	hint       func(key, text string)
	running    sync.WaitGroup

	mu        sync.Mutex
	listeners []net.Listener
	conns     map[*conn]struct{}
	closing   bool // no new connection
}

func newSplitter(hint func(key, text string)) *splitter {
	return &splitter{grpc: newConnQueue(), http: newConnQueue(), hint: hint, conns: map[*conn]struct{}{}}
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
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		_ = c.Close() // nothing was said on it
		return nil
	}
	t := &conn{Conn: c, splitter: s}
	s.conns[t] = struct{}{}
	return t
}

// deal reads the first bytes of c and hands it to the server that speaks them.
func (s *splitter) deal(c *conn) {
	q := s.sniff(c)
	if q == nil || !q.put(c) {
		_ = c.Close() // the sender sees it
	}
}

// sniff returns nil for a connection that says nothing in time or what nobody
// understands.
func (s *splitter) sniff(c *conn) *connQueue {
	if c.SetReadDeadline(time.Now().Add(patience)) != nil {
		return nil
	}
	var head [len(preface)]byte
	n := 0
	for n < len(head) {
		m, err := c.Conn.Read(head[n:])
		n += m
		if n > 0 && head[0] == tlsHandshake {
			s.hint("tls", fmt.Sprintf("%s speaks TLS, but this endpoint does not: use an http:// endpoint, or set OTEL_EXPORTER_OTLP_INSECURE=true", c.RemoteAddr()))
			return nil
		}
		if n > 0 && !strings.HasPrefix(preface, string(head[:n])) {
			break
		}
		if err != nil {
			return nil
		}
	}
	c.head = append(c.head, head[:n]...)
	if c.SetReadDeadline(time.Time{}) != nil {
		return nil
	}
	if string(head[:n]) == preface {
		c.busy.Store(true)
		return s.grpc
	}
	return s.http
}

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

// conn is a connection whose first bytes were already read.
type conn struct {
	net.Conn
	head     []byte
	splitter *splitter
	busy     atomic.Bool // whether a request may be under way
}

func (c *conn) Read(p []byte) (int, error) {
	if len(c.head) > 0 {
		n := copy(p, c.head)
		c.head = c.head[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}

func (c *conn) Close() error {
	c.splitter.mu.Lock()
	delete(c.splitter.conns, c)
	c.splitter.mu.Unlock()
	return c.Conn.Close()
}

// connQueue is a listener that accepts what is put into it.
type connQueue struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newConnQueue() *connQueue {
	return &connQueue{conns: make(chan net.Conn), done: make(chan struct{})}
}

// put reports whether a server took c.
func (q *connQueue) put(c net.Conn) bool {
	select {
	case q.conns <- c:
		return true
	case <-q.done:
		return false
	}
}

// Accept returns the next connection, or net.ErrClosed after Close.
func (q *connQueue) Accept() (net.Conn, error) {
	select {
	case c := <-q.conns:
		return c, nil
	case <-q.done:
		return nil, net.ErrClosed
	}
}

// Close ends Accept and put. It may be called more than once.
func (q *connQueue) Close() error {
	q.once.Do(func() { close(q.done) })
	return nil
}

// Addr is a placeholder: the queue stands for several addresses.
func (q *connQueue) Addr() net.Addr { return &net.TCPAddr{} }
