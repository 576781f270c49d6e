package lang

import (
	"time"

	"github.com/followspan/followspan/trace"
)

// Budget is how many steps one evaluation may take. Every element that a closure
// or a word looks at is a step, and so are every few bytes of a text.
const Budget = 5_000_000

// bytesPerStep is how much text is looked at in the time of a step.
const bytesPerStep = 64

// Frame is what an expression is evaluated in: the spans, the sets, and whether
// more may come. A Frame serves one goroutine and may be used again.
type Frame struct {
	View trace.View
	// Open is true while more spans may arrive.
	Open bool
	// Sets are the declared sets in the order of Scope.Sets.
	Sets []SetState
	// Tallies are what the closures of the running program remember, as many as
	// Program.Tallies; nil makes them ask everything anew.
	Tallies []Tally
	// Edition changes whenever an edge may have appeared.
	Edition int
	// Origin is the span that started the flow, None before it has arrived.
	Origin trace.Node
	// OriginMoves: while the flow is open another span may become the origin.
	OriginMoves bool
	// Orphan reports whether a span whose parent has not arrived in a closed flow
	// is an orphan rather than an entry from outside; nil means that it is.
	Orphan func(trace.Node) bool
	// Member reports whether a span belongs to the flow; nil means that it does.
	Member func(trace.Node) bool
	// Instrumented reports whether a service sends spans; nil means that none does.
	Instrumented func(service string) bool
	// Order is happens-before over what has arrived; it is called only when needed.
	Order func() Order
	// Response is the trigger's answer, nil before it is known.
	Response *Response
	// Runs are the closed instances that across: sees.
	Runs []*RunState
	// Left, if not nil, is how many steps all evaluations together may still take,
	// each within its own budget.
	Left *int
	// Within, if positive, hides what starts later than that after the origin.
	Within time.Duration

	bare  trace.Span // the subject where there is no view
	slots []Value
	steps int
	spent int  // steps of all evaluations
	lost  bool // something that was looked at had been evicted
}

// SetState is a declared set as far as it is known.
type SetState struct {
	Nodes []trace.Node // the certain members
	Doubt *Doubt       // why there may be more; nil if there cannot
	// Joined are the members in the order in which they joined, if nothing ever
	// leaves the set.
	Joined []trace.Node
}

// Order is what the order words need to know; see [trace.Order].
type Order interface {
	EndBeforeStart(a, b trace.Node) trace.Ordering
	StartBeforeStart(a, b trace.Node) trace.Ordering
	// EndToStart is the gap of EndBeforeStart.
	EndToStart(a, b trace.Node) time.Duration
	// Process names the process whose clock a span was stamped by.
	Process(n trace.Node) string
}

// Response is what a trigger was answered.
type Response struct {
	Status   int
	Headers  map[string]string // by name in lower case
	Body     Value
	Duration time.Duration
}

// RunState is one closed instance as across: sees it. Its nodes are those of the
// frame's view.
type RunState struct {
	Origin   trace.Node
	Sets     []SetState
	Duration time.Duration // from the first start to the last end, negative if no span says when
}

// Value evaluates the expression from the beginning. An expression that runs out
// of its budget, or fails in a way that nobody foresaw, is an Unknown that Failed.
func (e *Expr) Value(f *Frame) (v Value) {
	f.steps, f.lost = Budget, false
	if f.Left != nil {
		f.steps = max(min(Budget, *f.Left), 0)
	}
	had := f.steps
	f.room(e.slots)
	defer func() {
		took := had - max(f.steps, 0)
		f.spent += 1 + took
		if f.Left != nil {
			*f.Left -= took
		}
		if r := recover(); r != nil {
			v = e.recovered(r)
		}
	}()
	return f.butLost(e.value(f))
}

// room makes room for what closures and let bind.
func (f *Frame) room(slots int) {
	if cap(f.slots) < slots {
		f.slots = make([]Value, slots)
	}
	f.slots = f.slots[:cap(f.slots)]
}

// OfSpan evaluates an expression about one span.
func (e *Expr) OfSpan(f *Frame, n trace.Node) Value {
	if cap(f.slots) == 0 {
		f.slots = make([]Value, max(e.slots, 8))
	}
	f.slots = f.slots[:cap(f.slots)]
	f.slots[0] = spanValue(n)
	return e.Value(f)
}

// OfBareSpan evaluates an expression about a span that no view holds yet. The
// expression was compiled with Scope.Bare.
func (e *Expr) OfBareSpan(f *Frame, s trace.Span) Value {
	f.bare = s
	return e.OfSpan(f, trace.None)
}

// outOfBudget is what step panics with; it is recovered in Value.
type outOfBudget struct{}

func (e *Expr) recovered(r any) Value {
	if _, ok := r.(outOfBudget); ok {
		d := e.failure("narrow the sets first, or compare them by a common key with groupBy",
			"this took more than %d million steps and was given up", Budget/1_000_000)
		d.Exhausted = true
		return unknown(d)
	}
	return e.fail("internal error while evaluating: %v", r)
}

func (f *Frame) step(n int) {
	if f.steps -= n; f.steps < 0 {
		panic(outOfBudget{})
	}
}

// read counts what looking at texts costs.
func (f *Frame) read(texts ...string) {
	for _, s := range texts {
		f.step(len(s) / bytesPerStep)
	}
}

// Guard runs do, which may call the exported methods of a Frame, within a budget
// of its own. It reports whether that was enough.
func (f *Frame) Guard(do func()) (done bool) {
	f.steps = Budget
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(outOfBudget); !ok {
				panic(r)
			}
			done = false
		}
	}()
	do()
	return true
}

// Steps is how many steps the last evaluation took.
func (f *Frame) Steps() int { return Budget - f.steps }

// Spent is how many steps and evaluations there were in all.
func (f *Frame) Spent() int { return f.spent }

// coming is the doubt of what later spans may change; nil once none can come.
func (f *Frame) coming() *Doubt {
	if f.Open {
		return arriving
	}
	return nil
}
