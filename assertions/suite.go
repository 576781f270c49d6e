package assertions

import (
	"sync/atomic"

	"github.com/followspan/followspan/assertions/internal/lang"
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

// Flow is one declared flow of a suite, or its invariants.
type Flow struct {
	Name        string
	Description string
	Decl        *FlowDecl
	Timing      trace.Timing
	// Assertions are all that is asserted of one instance, in the order in which
	// verdicts are reported: calls, sequence, only, expect, never, each.
	Assertions []*Assertion

	// Across are the assertions over all instances; see Suite.JudgeAcross.
	Across []*Assertion

	invariant bool

	plan   *plan
	across []*check
	runs   *Assertion
	// searched is how many spans were looked at for near misses; see explainer.near.
	searched atomic.Int64
}

// Load reads, checks and compiles a flow file. It reports every problem at once,
// in order; the Suite is nil if one of them is an error.
func Load(src *diag.Source, o Options) (*Suite, diag.List) {
	file, problems := ParseFile(src, FileOptions{Dir: o.Dir, Params: o.Params, Getenv: o.Getenv, Reserved: lang.Reserved()})
	if file == nil {
		return nil, problems
	}
	s := &Suite{file: file}
	c := &compiler{file: file, params: constants(file)}
	for _, decl := range file.Flows {
		s.flows = append(s.flows, c.flow(decl))
	}
	if file.Invariants != nil {
		for _, part := range invariants(file.Invariants) {
			f := c.flow(part)
			f.invariant = true
			s.flows = append(s.flows, f)
		}
	}
	problems = append(problems, c.problems...).Sorted()
	if problems.HasErrors() {
		return nil, problems
	}
	return s, problems
}

// File is the flow file that the suite was compiled from.
func (s *Suite) File() *File { return s.file }

// Flows returns the declared flows in the order of the file, the invariants last.
func (s *Suite) Flows() []*Flow { return s.flows }

// Flow returns a declared flow by its name, or nil.
func (s *Suite) Flow(name string) *Flow {
	for _, f := range s.flows {
		if f.Name == name {
			return f
		}
	}
	return nil
}

// Open starts an instance of a declared flow. It panics if there is no such flow.
func (s *Suite) Open(flow string) *Instance { return newInstance(s.Flow(flow)) }

// constants are the params as expressions see them.
func constants(file *File) map[string]lang.Value {
	out := map[string]lang.Value{}
	for _, p := range file.Params {
		if v, ok := lang.Param(p.Value); ok {
			out[p.Name] = v
		}
	}
	return out
}
