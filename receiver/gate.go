package receiver

import "sync"

// gate counts the requests that are under way and lets no more in once closed.
type gate struct {
	mu     sync.Mutex
	inside int
	closed bool
	idle   chan struct{} // closed when the gate is closed and nobody is inside
}

func newGate() *gate { return &gate{idle: make(chan struct{})} }

// enter reports whether the request may go on; it must leave then.
func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.inside++
	return true
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	g.signal()
}

// close lets nobody in from now on. It is called once; the channel that it returns
// is closed when the last one has left.
func (g *gate) close() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	g.signal()
	return g.idle
}

func (g *gate) signal() {
	if g.closed && g.inside == 0 {
		close(g.idle)
	}
}
