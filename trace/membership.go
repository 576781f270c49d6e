package trace

import "time"

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
	// Silent are peers that send no spans, so that none is missing: hosts, with or without
	// a port, services, or destinations of messages.
	Silent []string
	Timing Timing
	// Hasty: nothing is concluded from what is missing, so that a flow is complete
	// though it asked somebody of whom nothing is known.
	Hasty bool
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
