package receiver

import (
	"errors"
	"fmt"
	"sync"
)

var errShutDown = errors.New("followspan is shutting down")

// gate counts the requests that are under way, lets in so many at a time, and none
// once it is closed.
type gate struct {
	most int

	mu     sync.Mutex
	inside int
	closed bool
	idle   chan struct{} // closed when the gate is closed and nobody is inside
}

func newGate(most int) *gate { return &gate{most: most, idle: make(chan struct{})} }

// enter lets a request in, which must leave then, or says why not.
func (g *gate) enter() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.closed:
		return errShutDown
	case g.inside >= g.most:
		return fmt.Errorf("%w: %d requests are under way", errBusy, g.most)
	}
	g.inside++
	return nil
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
