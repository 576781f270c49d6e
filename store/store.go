// Package store keeps received spans in memory, assembles them into flows and
// says which flow changed and which is complete.
//
// Most callers need only [New], [Store.Consume], [Store.Next] and [Store.Release]. A
// Store takes at most Settings.Bytes of memory. When it needs room it evicts spans
// of closed flows that were judged, oldest first, and spans that no flow wants.
// Without such a request is refused and its sender told to try again, and the flows
// that it belongs to report the refusal for as long as the spans are missing. A flow
// that alone takes nearly all memory goes on without its oldest spans and reports
// that. So no absence passes on data that was thrown away.
package store

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/followspan/followspan/trace"
)

// DefaultBytes is how much memory spans may take unless Settings say otherwise.
const DefaultBytes = 512 << 20

// Settings of a Store. The zero value works.
type Settings struct {
	Bytes int64 // memory for spans and what is known of them; 0 is DefaultBytes
	// Linger is how long a span that belongs to no flow is kept at least, from its
	// arrival. 0 is DefaultLinger.
	Linger time.Duration
	Now    func() time.Time // nil is time.Now; must agree with the clock of time.Timer
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
	// exporters, so their sizes and times say nothing of what was sent when. Nothing
	// makes room before CloseOldest was called.
	Recorded bool
}

// ErrFull is why a request is refused when the memory for spans is used up by flows
// that are open. The sender should try again: at the latest when the oldest of them
// reaches its deadline there is room.
var ErrFull = errors.New("the memory for spans is used up")

// ErrTooLarge is why a request is refused that alone takes more than all memory
// for spans. It does not fit however often it is sent.
var ErrTooLarge = fmt.Errorf("the request alone takes more: %w", ErrFull)

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
	hops      hops
	roots     roots
	processes map[string]*process
	sorted    []*process // all of them, by service and name
	flows     []*declaration
	traces    map[trace.TraceID]*traceEntry
	instances map[uint32]*instance // by the number of the flow; not those that were retracted
	agenda    agenda               // of the instances that are not closed, or rest
	closings  []closing            // in their order
	dirty     fifo[*instance]      // to be handed out by Next, unless that was done since
	keys      map[keyed]*holders   // of correlation keys
	shared    []sharedKey
	own       map[spanID]bool // spans of triggers
	refused   refused
	differing map[trace.Node]bool // spans of which another version arrived
	stats     Stats
	newTraces int
	lastNews  time.Time // when something arrived last, or the store was made
	closed    bool
	replayed  bool      // a journal says what is refused and evicted
	full      bool      // refuses everything, as when that is replayed
	tick      func()    // nil without a journal
	now       time.Time // when the operation that runs began, if there is a journal

	connections  map[string]*process // who sent over it first
	heard        []*process          // of the batch being consumed
	lastResource trace.Resource      // whose process is lastProcess
	lastProcess  *process
	marking      []trace.Mark // room for those that are found
	lastMarks    []trace.Mark // that were handed out, never written
	lastTrace    *traceEntry  // that was asked for; not one that is forgotten
	flushed      bool         // see Flushed
	ending       bool         // nothing more comes
	lost         []lostData
	orphans      map[trace.TraceID]orphans // see orphansOf
	orphansAt    int                       // how many spans had been received
	unsampled    unsampled

	// What the batch being consumed asks to be looked at once it is taken in.
	attached  []trace.Node // spans that got children
	satisfied []trace.Node // spans that got what they waited for
	crowded   []*started
	ambiguous []*instance  // have members that may not belong to them
	freed     []*holders   // values that an instance less holds
	left      []trace.Node // members of instances that were retracted
	found     []*process   // of which a stray joined a flow
	late      bool         // the span being taken came too late for a flow
	reached   []reached    // what reach has still to look at
	messages  messages     // of the last batch

	// What can make room; see makeRoom.
	released, spared fifo[*instance]
	swept            trace.Node       // spans before it were looked at
	horizon          trace.Node       // of a recording: spans before it may make room
	loose            fifo[trace.Node] // spans before it that left a flow
	gone             fifo[tomb]
	bygone           bygone
	evicted          int   // flows that are remembered
	booked           int64 // bytes of lists
	looks            int   // at instances, and at their spans that may miss another one
	refusedMore      int   // refused spans that were not remembered one by one
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
	if s.Linger == 0 {
		s.Linger = DefaultLinger
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	st := &Store{
		settings: s, wake: make(chan struct{}, 1), peers: newPeers(), roots: newRoots(), hops: newHops(), bygone: newBygone(),
		processes: map[string]*process{}, connections: map[string]*process{}, traces: map[trace.TraceID]*traceEntry{}, keys: map[keyed]*holders{}, own: map[spanID]bool{},
		instances: map[uint32]*instance{},
		refused:   newRefused(), stats: newStats(), differing: map[trace.Node]bool{}, unsampled: unsampled{},
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
