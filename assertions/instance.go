package assertions

import (
	"time"

	"github.com/followspan/followspan/trace"
)

// Instance judges one time that a flow happened. It is used by one goroutine at
// a time; several instances of one suite may be used at once.
type Instance struct{}

// Response is what the trigger of a flow was answered.
type Response struct {
	Status   int
	Headers  map[string]string // by name in lower case
	Body     []byte            // parsed where it is JSON
	Duration time.Duration
}

// SetResponse makes the trigger's answer known; until then whatever reads
// response is undecided. It is called at most once.
func (in *Instance) SetResponse(r Response) {}

// Evaluate looks at a later prefix of the flow and returns the verdicts that it
// decided, in the order of the file. Over a closed flow it decides all that are
// left. It depends on nothing but the prefixes that it was given.
func (in *Instance) Evaluate(f trace.Flow) []Verdict { return nil }

// Revise judges a closed flow again from the beginning and returns the verdicts
// that differ from those given, as when a span arrived late.
func (in *Instance) Revise(f trace.Flow, given []Verdict) []Verdict { return nil }

// Awaiting says for each undecided assertion that still needs a span which one,
// such as "email ~ process orders".
func (in *Instance) Awaiting() []string { return nil }

// Done reports whether every assertion is decided.
func (in *Instance) Done() bool { return false }

// Selector picks spans, as the --where flag of commands does.
type Selector struct{}

// CompileSelector compiles an expression over one span.
func CompileSelector(text string) (*Selector, error) { return &Selector{}, nil }

// Match reports whether the span of a node satisfies the selector.
func (s *Selector) Match(v trace.View, n trace.Node) bool { return false }
