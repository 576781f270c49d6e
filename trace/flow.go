package trace

import (
	"slices"
	"sync/atomic"
)

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
	state   *FlowState // never written; nil is the zero FlowState
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
	evicted     uint32 // 1 once it is; read and written atomically
}

// Number tells the flows of one graph apart, counted from 1.
func (r *FlowRecord) Number() uint32 { return r.number }

// Len is the number of members, followspan's own trigger span included.
func (f Flow) Len() int { return len(f.members) }

// Member returns the i-th member in the order in which they joined. What a
// member is and where it stands never changes, so the news since an older prefix
// of the same flow are the members from its Len on.
func (f Flow) Member(i int) Node { return f.members[i] }

// Contains reports whether n is a member.
func (f Flow) Contains(n Node) bool {
	return f.g.memberOf(n, f.number, f.members) != nil
}

// JoinedBy says which rule made n a member; NoRule if it is none.
func (f Flow) JoinedBy(n Node) Rule {
	return f.g.memberOf(n, f.number, f.members).ruleOrNone()
}

// Evicted reports whether the flow's spans had to make room for others: then its
// members say nothing any more. It may become so at any moment after the flow was
// closed and whoever judges it has done so.
func (f Flow) Evicted() bool { return atomic.LoadUint32(&f.evicted) == 1 }

// Remains is what is known of an evicted flow that was frozen since; of any other it
// is zero but for Unanswered.
func (f Flow) Remains() Remains { return f.now().Remains }

// Spans returns the members without followspan's own trigger span, in the order
// in which they joined. The slice is the caller's.
func (f Flow) Spans() []Node {
	return slices.DeleteFunc(slices.Clone(f.members), func(n Node) bool { return n == f.now().Trigger })
}

// Origin returns the span that started the flow, once it has arrived.
func (f Flow) Origin() (Node, bool) { return f.now().Origin, f.has(f.now().Origin) }

// Trigger returns followspan's own client span, if a trigger opened the flow.
func (f Flow) Trigger() (Node, bool) { return f.now().Trigger, f.has(f.now().Trigger) }

func (f Flow) State() State { return f.now().State }

// Reason says why the flow closed; before it is NotClosed, or ByWatermarks if the
// flow is complete by these.
func (f Flow) Reason() Reason { return f.now().Reason }

// Now is when the prefix was frozen, by the receiver's clock.
func (f Flow) Now() Time { return f.now().Now }

// OpenEdges are the hints that spans are missing. Read only.
func (f Flow) OpenEdges() []OpenEdge { return f.now().Edges }

// Losses is what is known to be lost to the flow. Read only.
func (f Flow) Losses() []Loss { return f.now().Losses }

// Marks is what is known of the silence of every process that ever sent spans,
// in the order of their services. It is empty while the flow is open. Read only.
func (f Flow) Marks() []Mark { return f.now().Marks }

// Cut is how many spans are no members because too many links or messages lead to
// them.
func (f Flow) Cut() int { return f.now().Cut }

// Moves is how often a member got another parent than it had, as happens where two
// spans share an id and the better parent comes last. What was found before a move
// may be wrong.
func (f Flow) Moves() int { return f.now().Moves }

// WithState returns the same members in another state, as when the caller
// closes a flow that the store holds complete.
func (f Flow) WithState(s State, r Reason) Flow {
	state := *f.now()
	state.State, state.Reason = s, r
	f.state = &state
	return f
}

func (f Flow) now() *FlowState {
	if f.state == nil {
		return &FlowState{}
	}
	return f.state
}

// IsZero reports whether f is no flow.
func (f Flow) IsZero() bool { return f.FlowRecord == nil }
