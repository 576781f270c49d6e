package trace

import (
	"iter"
	"slices"
	"sync/atomic"
	"time"
)

// State is how far a flow has come.
type State uint8

const (
	Open      State = iota
	Complete        // no open edge and nothing new for a while; spans may still be matched
	Closed          // decided for good; a span that arrives later revises
	Retracted       // no instance after all: a later span turned out to be its origin
)

var stateNames = [...]string{"open", "complete", "closed", "retracted"}

// String returns the word that reports use.
func (s State) String() string { return stateNames[s] }

// Reason says why a flow closed.
type Reason uint8

const (
	NotClosed Reason = iota
	ByWatermarks
	BySilence
	ByDeadline
	ByEndOfRun
	ByEndOfRecording
	ByVerdicts // every verdict had latched, nothing more could change
)

var reasonNames = [...]string{"open", "complete by watermarks", "complete", "deadline", "end of the run", "end of the recording", "all verdicts certain"}

// String returns the words that reports use.
func (r Reason) String() string { return reasonNames[r] }

// OpenKind says what an open edge waits for.
type OpenKind uint8

const (
	WaitsForOrigin   OpenKind = iota // the trigger happened; its trace has not begun or the origin has not ended
	WaitsForParent                   // a named parent that has not arrived
	WaitsForServer                   // a client span to an instrumented peer without its server span
	WaitsForConsumer                 // a message to a destination with known consumers that nobody consumed
)

var openNames = [...]string{"origin", "parent", "server span", "consumer"}

// String returns what is missing at the end of the edge.
func (k OpenKind) String() string { return openNames[k] }

// OpenEdge is a hint that a span is missing. For WaitsForParent Missing is the
// id that Node names as its parent.
type OpenEdge struct {
	Kind    OpenKind
	Node    Node // the span that waits; None for a trigger whose trace has not begun
	Missing SpanID
	// Strays are spans in no flow that may be the missing one, or its like: they began
	// a trace of their own, as where a context was lost. At most one is named.
	Strays []Node
}

// Mark says how well the silence of one process is known.
type Mark struct {
	Service, Process string
	// Doubt says why the process may still hold back, or have lost, spans that ended
	// before the flow did. Empty: its watermark, or its orderly end, proves that
	// everything has arrived.
	Doubt string
	// Stray names a span of the process that started after the flow did and belongs to
	// no flow with an origin: it may belong here, if a context was lost. Empty: there
	// is none.
	Stray string
}

// Loss is data that is known to be lost to the flow.
type Loss struct {
	What  string // such as "spans refused: memory limit"
	Count int
}

// Membership says which spans start an instance of a declared flow and what
// belongs to it. Package assertions compiles it, package store applies it.
type Membership struct {
	Flow  string
	Opens Opening
	// Origin reports whether a span starts an instance. It may be nil unless spans
	// open instances: then the trigger's own span is the origin, or there is none.
	// It is called from one goroutine at a time.
	Origin func(Span) bool
	Per    func(Span) (key string, ok bool) // groups the origins of OpensByKey
	Scope  Scoping
	Hops   int // how many link or message hops to follow; 0 is 3
	Keys   []Correlation
	Timing Timing
}

// Correlation is an attribute by whose value spans belong together.
type Correlation struct {
	Key string // as the flow file calls it
	// Of reads it; a span may have it under another name. It must not be nil.
	Of func(Span) (Value, bool)
}

// Opening says what makes a new instance of a flow.
type Opening uint8

const (
	OpensBySpan    Opening = iota // every span that matches Origin and has no matching ancestor
	OpensByTrigger                // the run announces the trace of each instance
	OpensByTrace                  // every trace id; with Origin every one in which it selects a span
	OpensByKey                    // every value of Per among the spans that match Origin
	OpensBySession                // once, for everything that is received
)

// Scoping says how much of the origin's trace belongs to a flow.
type Scoping uint8

const (
	ScopeAuto    Scoping = iota // the trace, unless it holds several origins
	ScopeTrace                  // the whole trace
	ScopeSubtree                // what the origin caused
	ScopeValue                  // of OpensByKey: the spans that have the value, and no others
)

// Timing bounds how long a flow is waited for. Zero fields mean the defaults.
type Timing struct {
	Deadline  time.Duration // from the trigger, else from the origin's arrival; default 30s
	Quiet     time.Duration // silence after which a flow without open edges is complete; default 500ms
	ClockSkew time.Duration // assumed offset between hosts; 0: only what the spans prove
}

// Defaults of Timing, and of Membership.Hops.
const (
	DefaultDeadline = 30 * time.Second
	DefaultQuiet    = 500 * time.Millisecond
	DefaultHops     = 3
)

// OrDefaults returns t with its zero fields filled in.
func (t Timing) OrDefaults() Timing {
	if t.Deadline == 0 {
		t.Deadline = DefaultDeadline
	}
	if t.Quiet == 0 {
		t.Quiet = DefaultQuiet
	}
	return t
}

// Flow is everything that one origin caused: one trace, or several stitched
// together. It is a frozen prefix, a small value that many goroutines may read
// while the store appends to the flow; take a later Flow to see more.
//
// A Flow is also a [View]: parents, links and messages resolve in everything that
// was received, member of the flow or not.
type Flow struct {
	View
	*FlowRecord
	members []Node
	state   FlowState
}

// FlowRecord is what never changes about an instance once it is open.
type FlowRecord struct {
	ID          string // short and unique in one run; the trace id's first digits where there is one
	Declaration string // the name of the declared flow
	TraceID     TraceID
	Started     Time // of the receiver's clock: the trigger, else the origin's arrival
	Triggered   bool // a trigger of followspan's own opened it
	HasOrigin   bool // an origin or a trigger started it; else it is a whole trace, or all
	number      uint32
	evicted     *atomic.Bool
}

// Number tells the flows of one graph apart, counted from 1.
func (r *FlowRecord) Number() uint32 { return r.number }

// FlowState is what changes as a flow goes on.
type FlowState struct {
	Origin Node // None until the origin has arrived
	// Trigger is followspan's own client span, None if there is none. It is a
	// member and the parent of what follows, but left out of Spans.
	Trigger Node
	State   State
	Reason  Reason // why it closed; of a complete flow ByWatermarks if these say so
	Now     Time   // of the receiver's clock, when the prefix was frozen
	Edges   []OpenEdge
	Losses  []Loss
	Marks   []Mark // unless the flow is open
	Cut     int    // link hops that were not followed
}

// OpenFlow starts a flow without members. Like every writing method it is for
// the graph's writer.
func (g *Graph) OpenFlow(r FlowRecord) *FlowWriter {
	g.flows++
	r.number, r.evicted = g.flows, new(atomic.Bool)
	return &FlowWriter{g: g, record: &r}
}

// FlowWriter appends members to a flow.
type FlowWriter struct {
	g       *Graph
	record  *FlowRecord
	members []Node
}

// Join makes n a member, and reports false if it is one already.
func (w *FlowWriter) Join(n Node, rule Rule) bool {
	if _, ok := w.g.memberOf(n, w.record.number, len(w.members)); ok {
		return false
	}
	m, i := w.g.members.add()
	head := &w.g.nodes.at(int(n)).member
	m.flow, m.index, m.rule, m.caused = w.record.number, int32(len(w.members)), rule, w.record.HasOrigin
	m.next.Store(head.Load())
	head.Store(int32(i))
	w.members = append(w.members, n)
	return true
}

// JoinedBy says which rule made n a member; NoRule if it is none.
func (w *FlowWriter) JoinedBy(n Node) Rule {
	rule, _ := w.g.memberOf(n, w.record.number, len(w.members))
	return rule
}

// Record returns what never changes about the flow.
func (w *FlowWriter) Record() *FlowRecord { return w.record }

// Len is the number of members so far.
func (w *FlowWriter) Len() int { return len(w.members) }

// Members returns the members so far, for the writer to read.
func (w *FlowWriter) Members() []Node { return w.members }

// Leave gives up all members, for good, and yields them.
func (w *FlowWriter) Leave() iter.Seq[Node] {
	members := w.members
	w.members = nil
	return func(yield func(Node) bool) {
		for _, n := range members {
			w.g.leave(n, w.record.number)
			if !yield(n) {
				return
			}
		}
	}
}

// leave takes n off a flow.
func (g *Graph) leave(n Node, flow uint32) {
	for at := &g.record(n).member; at.Load() != 0; {
		i := at.Load()
		m := g.members.at(int(i))
		if m.flow == flow {
			at.Store(m.next.Load())
			g.members.drop(int(i))
			return
		}
		at = &m.next
	}
}

// Freeze returns the flow as it is now. It keeps the slices of s.
func (w *FlowWriter) Freeze(s FlowState) Flow {
	return Flow{View: w.g.View(), FlowRecord: w.record, members: w.members[:len(w.members):len(w.members)], state: s}
}

// memberOf finds the membership of n in a flow, if it is among the first so many.
func (g *Graph) memberOf(n Node, flow uint32, length int) (Rule, bool) {
	r := g.record(n)
	for i := r.member.Load(); i != 0; {
		m := g.members.at(int(i))
		if m == nil { // Its flow was evicted, and it taken off the list, just now.
			i = r.member.Load()
			continue
		}
		if m.flow == flow && int(m.index) < length {
			return m.rule, true
		}
		i = m.next.Load()
	}
	return NoRule, false
}

// Len is the number of members, followspan's own trigger span included.
func (f Flow) Len() int { return len(f.members) }

// Member returns the i-th member in the order in which they joined. What a
// member is and where it stands never changes, so the news since an older prefix
// of the same flow are the members from its Len on.
func (f Flow) Member(i int) Node { return f.members[i] }

// Contains reports whether n is a member.
func (f Flow) Contains(n Node) bool {
	_, ok := f.g.memberOf(n, f.number, len(f.members))
	return ok
}

// JoinedBy says which rule made n a member; NoRule if it is none.
func (f Flow) JoinedBy(n Node) Rule {
	rule, _ := f.g.memberOf(n, f.number, len(f.members))
	return rule
}

// Evicted reports whether the flow's spans had to make room for others: then its
// members say nothing any more. It may become so at any moment after the flow was
// closed and whoever judges it has done so.
func (f Flow) Evicted() bool { return f.evicted.Load() }

// Spans returns the members without followspan's own trigger span, in the order
// in which they joined. The slice is the caller's.
func (f Flow) Spans() []Node {
	return slices.DeleteFunc(slices.Clone(f.members), func(n Node) bool { return n == f.state.Trigger })
}

// Origin returns the span that started the flow, once it has arrived.
func (f Flow) Origin() (Node, bool) { return f.state.Origin, f.has(f.state.Origin) }

// Trigger returns followspan's own client span, if a trigger opened the flow.
func (f Flow) Trigger() (Node, bool) { return f.state.Trigger, f.has(f.state.Trigger) }

func (f Flow) State() State { return f.state.State }

// Reason says why the flow closed; before it is NotClosed, or ByWatermarks if the
// flow is complete by these.
func (f Flow) Reason() Reason { return f.state.Reason }

// Now is when the prefix was frozen, by the receiver's clock.
func (f Flow) Now() Time { return f.state.Now }

// OpenEdges are the hints that spans are missing. Read only.
func (f Flow) OpenEdges() []OpenEdge { return f.state.Edges }

// Losses is what is known to be lost to the flow. Read only.
func (f Flow) Losses() []Loss { return f.state.Losses }

// Marks is what is known of the silence of every process that ever sent spans,
// in the order of their services. It is empty while the flow is open. Read only.
func (f Flow) Marks() []Mark { return f.state.Marks }

// Cut is how many link or message hops beyond the limit were not followed.
func (f Flow) Cut() int { return f.state.Cut }

// WithState returns the same members in another state, as when the caller
// closes a flow that the store holds complete.
func (f Flow) WithState(s State, r Reason) Flow {
	f.state.State, f.state.Reason = s, r
	return f
}

// IsZero reports whether f is no flow.
func (f Flow) IsZero() bool { return f.FlowRecord == nil }
