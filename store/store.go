// Package store keeps received spans in memory, assembles them into flows and
// says which flow changed and which is complete.
//
// Most callers need only [New], [Store.Consume] and [Store.Next]. A Store holds at
// most Settings.Bytes: a request beyond that is refused and its sender told to try
// again, and the flows that it belongs to report the refusal for as long as the
// spans are missing, so that no absence passes on data that was thrown away.
package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/followspan/followspan/trace"
)

// DefaultBytes is how much memory spans may take unless Settings say otherwise.
const DefaultBytes = 512 << 20

// Settings of a Store. The zero value works.
type Settings struct {
	Bytes int64            // memory for spans; 0 is DefaultBytes
	Now   func() time.Time // nil is time.Now; must agree with the clock of time.Timer
	// Journal hears of all that is done to the store and changes it, in order. It is
	// called while the store is locked. Nil: nobody does.
	Journal func(Op)
	// RunTrace and RunSpan are the context that a command under test was started
	// with: its trace holds many flows, and a parent RunSpan is no missing span.
	RunTrace trace.TraceID
	RunSpan  trace.SpanID
	// RunID is the value of [RunAttribute] that the processes of this run carry,
	// whose SDKs have a queue that holds any burst. Empty: nobody does.
	RunID string
	// Recorded says that the batches come from a recording: they are not those of
	// exporters, so their sizes and times say nothing of what was sent when.
	Recorded bool
}

// ErrFull is why a request is refused when the memory for spans is used up. The
// sender should try again: closing flows makes no room yet, but a larger limit does.
var ErrFull = errors.New("the memory for spans is used up")

// ErrClosed is returned by Next when no flow will change any more.
var ErrClosed = errors.New("store closed")

// Store is safe for concurrent use.
type Store struct {
	settings Settings
	wake     chan struct{}

	mu        sync.Mutex
	graph     *trace.Graph
	index     index
	peers     peers
	roots     roots
	processes map[string]*process
	flows     []*declaration
	traces    map[trace.TraceID]*traceEntry
	instances map[uint32]*instance // by the number of the flow; not those that were retracted
	origins   map[trace.Node][]*instance
	agenda    agenda             // of the instances that are not closed
	dirty     queue              // to be handed out by Next
	keys      map[keyed]*holders // of correlation keys
	own       map[spanID]bool    // spans of triggers
	blocks    map[*trace.Block]bool
	bytes     int64
	refused   map[spanID]bool // refused and not yet accepted
	stats     Stats
	lastNews  time.Time // when something arrived last, or the store was made
	closed    bool
	full      bool      // refuses everything, as when that is replayed
	tick      func()    // nil without a journal
	now       time.Time // when the operation that runs began, if there is a journal

	connections  map[string]*process // who sent over it first
	heard        []*process          // of the batch being consumed
	lastResource trace.Resource      // whose process is lastProcess
	lastProcess  *process
	flushed      bool // see Flushed
	lost         []lostData

	// What the batch being consumed asks to be looked at once it is taken in.
	attached  []trace.Node // spans that got children
	crowded   []*started
	ambiguous []*instance  // gathered spans by a value that others share
	left      []trace.Node // members of instances that were retracted
	found     []*process   // of which a stray joined a flow
}

// declaration is one declared flow.
type declaration struct {
	trace.Membership
	ids   map[string]int       // how many instances have asked for an id
	byKey map[string]*instance // of OpensByKey; OpensBySession has one, without a key
}

// New returns an empty store which assembles the given flows.
func New(flows []trace.Membership, s Settings) *Store {
	if s.Bytes == 0 {
		s.Bytes = DefaultBytes
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	st := &Store{
		settings: s, wake: make(chan struct{}, 1), peers: newPeers(),
		processes: map[string]*process{}, connections: map[string]*process{}, traces: map[trace.TraceID]*traceEntry{}, keys: map[keyed]*holders{}, own: map[spanID]bool{},
		instances: map[uint32]*instance{}, origins: map[trace.Node][]*instance{},
		blocks: map[*trace.Block]bool{}, refused: map[spanID]bool{}, stats: newStats(),
	}
	st.graph = trace.NewGraph()
	st.index = newIndex(st.graph)
	st.keepTime()
	st.lastNews = st.settings.Now()
	for _, m := range flows {
		if m.Hops == 0 {
			m.Hops = trace.DefaultHops
		}
		m.Timing = m.Timing.OrDefaults()
		st.flows = append(st.flows, &declaration{m, map[string]int{}, map[string]*instance{}})
	}
	return st
}

// Consume takes a batch. An error means that nothing of it was taken; it is
// ErrFull, and the sender may try again. Consume never blocks on readers.
func (s *Store) Consume(_ context.Context, b trace.Batch) error {
	s.enter()
	defer s.mu.Unlock()
	defer s.signal()
	if b.Received == 0 {
		b.Received = trace.TimeOf(s.settings.Now())
	}
	if err := s.admit(b); err != nil {
		s.log(Op{Kind: OpRefuse, Batch: b})
		return err
	}
	s.log(Op{Kind: OpConsume, Batch: b})
	s.lose(b)
	if len(b.Spans) == 0 {
		return nil
	}
	s.stats.Requests++
	s.lastNews = s.settings.Now()
	for _, span := range b.Spans {
		s.take(span, b.Received)
	}
	s.mark(b)
	s.settle()
	return nil
}

// take adds one span to the graph and to the flows that it belongs to.
func (s *Store) take(span trace.Span, at trace.Time) {
	delete(s.refused, idOf(span))
	switch n, twin := s.index.find(s.graph.View(), span); {
	case twin && s.graph.View().Span(n).Equal(span):
		s.graph.AddCopy(n)
		s.stats.Copies++
		s.stats.CopiesBy[s.process(span).name]++
		return
	case twin:
		s.stats.Differing = append(s.stats.Differing, n)
		return
	}
	n := s.graph.Add(span, at)
	s.stats.count(span)
	p := s.process(span)
	s.hear(p, span, at)
	t := s.trace(span.TraceID())
	joined := s.index.add(n, span)
	s.peers.learn(s.graph.View(), n)
	s.place(t, n)
	for _, other := range joined {
		s.spread(other)
	}
	if len(joined) > 0 {
		s.attached = append(s.attached, n)
	}
	s.addStray(n, span)
}

// settle does once per batch what need not be done per span.
func (s *Store) settle() {
	for _, n := range s.attached {
		s.retractNested(n)
	}
	s.attached = s.attached[:0]
	defer s.wakeAstray()
	defer s.settleLeft()
	for len(s.crowded)+len(s.ambiguous) > 0 {
		crowded, ambiguous := s.crowded, s.ambiguous
		s.crowded, s.ambiguous = nil, nil
		for _, st := range crowded {
			s.divide(st)
		}
		for _, in := range ambiguous {
			s.regather(in)
		}
	}
}

// Next returns a flow that changed since it was returned last: it gained members
// or edges, became complete, or closed at its deadline. Several changes become
// one. It blocks until there is one, ctx ends or the store is closed.
func (s *Store) Next(ctx context.Context) (trace.Flow, error) {
	for {
		f, ok, wait, err := s.poll()
		if ok || err != nil {
			return f, err
		}
		if err := s.await(ctx, wait); err != nil {
			return trace.Flow{}, err
		}
	}
}

// await blocks until something was consumed or closed, or d has passed.
func (s *Store) await(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-s.wake:
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// idle is how long Next waits at most before it looks again.
const idle = time.Hour

// poll returns the next changed flow, or how long nothing will change by itself.
func (s *Store) poll() (trace.Flow, bool, time.Duration, error) {
	s.enter()
	defer s.mu.Unlock()
	now := trace.TimeOf(s.settings.Now())
	wait, acted := idle, false
	for in := s.agenda.next(); in != nil; in = s.agenda.next() {
		if in.due > now {
			wait = min(wait, in.due.Sub(now))
			break
		}
		s.advance(in, now)
		acted = true
	}
	marked := s.dirty.len()
	in := s.dirty.pop()
	if acted || marked != s.dirty.len() {
		s.log(Op{Kind: OpNext, Handed: in != nil})
	}
	if in == nil {
		if s.closed {
			return trace.Flow{}, false, 0, ErrClosed
		}
		return trace.Flow{}, false, wait, nil
	}
	in.handedOut = true
	s.advance(in, now)
	return s.freeze(in, now), true, 0, nil
}

func (s *Store) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// CloseFlow closes one instance, as when all its verdicts are certain. Spans that
// arrive later are matched all the same. One that is closed already stays as it is.
func (s *Store) CloseFlow(f trace.Flow, why trace.Reason) {
	s.enter()
	defer s.mu.Unlock()
	if !f.IsZero() {
		s.closeFlow(f.Number(), f.Len(), why)
	}
}

// closeFlow closes an instance of which the caller has seen so many members.
func (s *Store) closeFlow(number uint32, members int, why trace.Reason) {
	in := s.instances[number]
	if in == nil || in.state.State == trace.Closed {
		return
	}
	s.log(Op{Kind: OpCloseFlow, Number: number, Members: members, Why: why})
	s.close(in, why)
	in.dirty = in.w.Len() != members // Otherwise the caller holds what it closed.
}

// Close closes all instances; Next hands out what is left and then returns ErrClosed.
func (s *Store) Close(why trace.Reason) {
	s.enter()
	defer s.mu.Unlock()
	defer s.signal()
	s.log(Op{Kind: OpClose, Why: why})
	open := slices.Clone(s.agenda)
	slices.SortFunc(open, func(a, b *instance) int {
		return cmp.Or(cmp.Compare(a.w.Record().Started, b.w.Record().Started), cmp.Compare(a.w.Record().Number(), b.w.Record().Number()))
	})
	for _, in := range open {
		s.close(in, why)
	}
	s.closed = true
}

// View freezes everything that was received.
func (s *Store) View() trace.View {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.graph.View()
}

// Expect opens an instance of a triggered flow: the trigger's own span will have
// these ids, and what it causes will be in its trace. It is called before the
// trigger acts.
func (s *Store) Expect(flow string, id trace.TraceID, span trace.SpanID) (trace.Flow, error) {
	s.enter()
	defer s.mu.Unlock()
	defer s.signal()
	i := slices.IndexFunc(s.flows, func(d *declaration) bool { return d.Flow == flow })
	if i < 0 {
		return trace.Flow{}, fmt.Errorf("expect flow %q: no such flow is declared", flow)
	}
	s.log(Op{Kind: OpExpect, Flow: flow, TraceID: id, SpanID: span})
	now := trace.TimeOf(s.settings.Now())
	s.own[spanID{id, span}] = true
	in := s.open(s.flows[i], s.trace(id), s.uniqueID(s.flows[i], id.String()[:8]), now)
	in.triggerSpan, in.handedOut = span, true
	return s.freeze(in, now), nil
}
