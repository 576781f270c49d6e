package store

import (
	"context"
	"time"

	"github.com/followspan/followspan/trace"
)

// Op is one thing that was done to a store. Done again to an empty one, in the
// order in which a journal heard of them, they hand out the same flows.
type Op struct {
	Kind OpKind
	Now  trace.Time // the clock, which stands still meanwhile
	// Batch was consumed, or refused because the memory was used up.
	Batch trace.Batch
	// Flow is expected, in this trace below this span.
	Flow    string
	TraceID trace.TraceID
	SpanID  trace.SpanID
	// Node is of the span that was evicted.
	Node trace.Node
	// Number is of the flow that was closed, which had so many members, or cut or
	// evicted.
	Number  uint32
	Members int
	Why     trace.Reason
	// Handed: a flow was handed out.
	Handed bool
}

// OpKind says which method was called.
type OpKind uint8

const (
	OpConsume   OpKind = iota
	OpRefuse           // Consume, which returned ErrFull
	OpExpect           // Expect
	OpNext             // Next, which handed out a flow or found that time has acted on some
	OpCloseFlow        // CloseFlow
	OpFlushed          // Flushed
	OpClose            // Close
	OpEvict            // a closed flow made room
	OpEvictSpan        // a span that no flow needed made room
	OpCut              // an open flow takes all memory, and goes on without its oldest spans
)

// keepTime makes the clock stand still during each operation, if there is a
// journal, so that the journal can say what it showed.
func (s *Store) keepTime() {
	if s.settings.Journal == nil {
		return
	}
	clock := s.settings.Now
	s.tick = func() { s.now = trace.TimeOf(clock()).Std() }
	s.settings.Now = func() time.Time { return s.now }
	s.tick()
}

// enter locks the store for an operation.
func (s *Store) enter() {
	s.mu.Lock()
	if s.tick != nil {
		s.tick()
	}
}

// log tells the journal of an operation that was done. The store is locked.
func (s *Store) log(op Op) {
	if s.settings.Journal == nil {
		return
	}
	op.Now = trace.TimeOf(s.now)
	s.settings.Journal(op)
}

// Replay does again what a journal heard, to a store that was made like the one
// which wrote the journal, with no Journal of its own. The flow is the one that Next
// handed out or Expect returned; it is zero for other operations.
func (s *Store) Replay(op Op) (trace.Flow, error) {
	s.mu.Lock()
	s.settings.Now = func() time.Time { return op.Now.Std() }
	s.replayed, s.full = true, op.Kind == OpRefuse
	s.mu.Unlock()
	switch op.Kind {
	case OpConsume, OpRefuse:
		_ = s.Consume(context.Background(), op.Batch)
	case OpExpect:
		return s.Expect(op.Flow, op.TraceID, op.SpanID)
	case OpNext:
		f, _, _, _ := s.poll() // no flow is no error
		return f, nil
	case OpCloseFlow:
		s.mu.Lock()
		defer s.mu.Unlock()
		s.closeFlow(op.Number, op.Members, op.Why)
	case OpFlushed:
		s.Flushed()
	case OpClose:
		s.Close(op.Why)
	case OpEvict, OpEvictSpan, OpCut:
		s.replayRoom(op)
	}
	return trace.Flow{}, nil
}

// replayRoom makes room as a journal says. An operation on what is not there is
// ignored: flows that differ show when they are handed out.
func (s *Store) replayRoom(op Op) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in := s.instances[op.Number]
	switch {
	case op.Kind == OpEvictSpan:
		if op.Node >= 0 && int(op.Node) < s.graph.Len() && !s.graph.View().Evicted(op.Node) {
			s.evictSpan(op.Node)
		}
	case in == nil:
	case op.Kind == OpCut:
		s.cut(in)
	case in.state == trace.Closed:
		s.evictFlow(in)
	}
}
