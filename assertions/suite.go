package assertions

import (
	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/trace"
)

// Options say how a flow file is to be read.
type Options struct {
	// Dir is the directory of the file, from which its relative paths start.
	Dir string
	// Params override the params of the file, as --param name=value does.
	Params map[string]string
	// Getenv looks up ${NAME}; nil means that the environment is empty.
	Getenv func(string) (string, bool)
}

// Suite is one flow file, fully checked: if it loaded, no later error can be the
// author's typo. It is immutable and safe for concurrent use.
type Suite struct {
	file  *File
	flows []*Flow
}

// InvariantsName is the name of the flow that holds a file's invariants.
const InvariantsName = "invariants"

// File is the flow file as it was written: its system, its triggers, its counts.
func (s *Suite) File() *File { return s.file }

// Flow is one declared flow of a suite, or its invariants.
type Flow struct {
	Name        string
	Description string
	Timing      trace.Timing
	Assertions  []*Assertion // in the order of the file, desugared ones included
}

// Load reads, checks and compiles a flow file. It reports every problem at once,
// in order; the Suite is nil if one of them is an error.
func Load(src *diag.Source, o Options) (*Suite, diag.List) { return &Suite{}, nil }

// Flows returns the declared flows in the order of the file.
func (s *Suite) Flows() []*Flow { return s.flows }

// Memberships says which spans start an instance of each flow and what belongs
// to it. Package store applies them.
func (s *Suite) Memberships() []trace.Membership { return nil }

// Open starts an instance of a declared flow.
func (s *Suite) Open(flow string) *Instance { return &Instance{} }

// JudgeRuns says whether the flow happened as often as its runs: asks for. The
// evidence of too few is what did arrive, so v is everything that was received.
func (s *Suite) JudgeRuns(flow string, instances int, v trace.View) Verdict { return Verdict{} }
