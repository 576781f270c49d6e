package receiver

import (
	"net"
	"strings"
	"sync"
	"sync/atomic"
)

// conn is a connection whose first bytes were already read.
type conn struct {
	net.Conn
	head     []byte
	splitter *splitter
	busy     atomic.Bool // whether a request may be under way
}

// peek reads the first bytes, which Read will return once more: the preface of
// HTTP/2, or what shows that it is something else. It is "" if nothing came.
func (c *conn) peek() string {
	var head [len(preface)]byte
	n := 0
	for n < len(head) {
		m, err := c.Conn.Read(head[n:])
		n += m
		if n > 0 && !strings.HasPrefix(preface, string(head[:n])) {
			break
		}
		if err != nil {
			return ""
		}
	}
	c.head = append(c.head, head[:n]...)
	return string(head[:n])
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
