package trace

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
	ByMemory   // its spans had to make room, and nothing seemed to be missing
)

var reasonNames = [...]string{"open", "complete by watermarks", "complete", "deadline", "end of the run", "end of the recording", "all verdicts certain", "memory was needed"}

// String returns the words that reports use.
func (r Reason) String() string { return reasonNames[r] }

// OpenKind says what an open edge waits for.
type OpenKind uint8

const (
	WaitsForOrigin   OpenKind = iota // the trigger happened; its trace has not begun or the origin has not ended
	WaitsForParent                   // a named parent that has not arrived
	WaitsForServer                   // a client span to an instrumented peer without its server span
	WaitsForConsumer                 // a message to a destination with known consumers that nobody consumed
	WaitsForSilence                  // it had to close before it was silent
	WaitsForLinked                   // a span that is linked to, of one of its traces or of a recording, and has not arrived
)

var openNames = [...]string{"origin", "parent", "server span", "consumer", "silence", "linked span"}

// String returns what is missing at the end of the edge.
func (k OpenKind) String() string { return openNames[k] }

// OpenEdge is a hint that a span is missing. For WaitsForParent Missing is the
// id that Node names as its parent, for WaitsForLinked the one that it links to. Node is
// no member if only what is missing would tell whether it is.
type OpenEdge struct {
	Kind    OpenKind
	Node    Node // the span that waits; None for a trigger whose trace has not begun, and for silence
	Missing SpanID
	// Strays are spans in no flow that may be the missing one, or its like: they began
	// a trace of their own, as where a context was lost. At most one is named.
	Strays []Node
	Lost   Side // where the context was lost, if there is a stray
}

// Side is the end of a hop at which a context was lost, as far as other hops show.
type Side uint8

const (
	EitherSide Side = iota
	BySender        // the receiver goes on with the contexts of others, nobody with those of the sender
	ByReceiver      // the other way round
)

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
	Marks   []Mark  // unless the flow is open
	Cut     int     // spans that too many links or messages lead to
	Moves   int     // how often a member got another parent than it had
	Remains Remains // of an evicted flow
}

// Remains are what is left of a flow whose spans had to make room for others.
type Remains struct {
	Spans, Services int // that it had, without followspan's own
	Late            int // spans that arrived for it later, and were not looked at
	// Unanswered: spans that came later show that who was called by a flow closed
	// [ByMemory], or consumed its messages, does send spans.
	Unanswered bool
}
