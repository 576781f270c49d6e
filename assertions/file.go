package assertions

import (
	"path/filepath"
	"regexp"
	"time"

	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/trace"
)

// File is a flow file as its author wrote it: every key checked, params put in, defaults filled in, expressions not yet
// compiled. It is immutable.
type File struct {
	Source  *diag.Source
	Dir     string // relative paths in the file start here
	Version int

	Params     []Param
	System     *System // nil if the file starts none
	Spans      []SetDecl
	Flows      []*FlowDecl
	Invariants *FlowDecl // named "invariants"; nil if there are none
}

// Path returns what a path of the file means to the program: one relative to the file is joined with Dir.
func (f *File) Path(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(f.Dir, path)
}

// Param is a named constant.
type Param struct {
	Name  string
	Range diag.Range // of the name
	// Value is a string, int, float64, bool, time.Duration, or a []any of these.
	Value any
	// Text is what ${Name} stands for in a string; a list has none.
	Text string
}

// System says how to start the system under test.
type System struct {
	Range   diag.Range // of the key
	Command Command
	Ready   *Ready        // nil: it is ready once it was started
	Start   time.Duration // until it is ready, at most
	Stop    time.Duration // until it has ended, at most
}

// Ready says when the system can be used. Exactly one of HTTP, TCP and Output is set.
type Ready struct {
	HTTP   Template // a URL that answers
	TCP    Template // an address that accepts connections
	Output *regexp.Regexp
	Range  diag.Range // of the one that is set
}

// Command is a program to run: a list of arguments or a line for the shell.
type Command struct {
	Argv  []Template
	Shell Template // set if Argv is empty
	Dir   Template // zero: the directory of the flow file
	Env   []Variable
	Range diag.Range
}

// Variable is one environment variable or header, in the order of the file.
type Variable struct {
	Name  string
	Value Template
}

// SetDecl is a selector with a name.
type SetDecl struct {
	Name  string
	Range diag.Range // of the name
	Spans Expr
}

// FlowDecl is one declared flow, or the invariants, which have neither trigger, runs, calls, sequence, only nor across.
type FlowDecl struct {
	Name        string
	Range       diag.Range // of the name
	Description string
	Origin      Expr // zero if not given
	Per         Per
	Trigger     *Trigger // nil if something else makes the flow happen
	Runs        Count
	Timing      trace.Timing // zero fields mean the defaults
	Stitch      Stitch
	Spans       []SetDecl // of this flow only
	Calls       []Arrow
	Sequence    []Arrow
	Only        []OnlyDecl
	Expect      []AssertionDecl
	Never       []AssertionDecl
	Each        []EachDecl
	Across      *Across
}

// PerKind says what one instance of a flow is.
type PerKind uint8

// The kinds of [Per]. The zero value stands on an assertion that is judged with its flow.
const (
	PerUnset PerKind = iota
	PerSpan
	PerTrace
	PerSession
	PerValue // of Expr
)

// Per is the key of the same name.
type Per struct {
	Kind  PerKind
	Expr  Expr       // of PerValue
	Range diag.Range // zero if the kind is the default
}

// Stitch says how far a flow reaches.
type Stitch struct {
	Keys  []string
	Scope trace.Scoping
	Hops  int // 0 means the default
	// Silent are peers that send no spans, as arrows name them.
	Silent []string
}

// Count bounds a number.
type Count struct {
	Min   int
	Max   int        // -1: no upper bound
	Range diag.Range // zero if the count is the default
}

// AssertionDecl is an item under expect, or under never, where That is a predicate over one span.
type AssertionDecl struct {
	Range    diag.Range // of That
	Name     string     // empty if not given
	That     Expr
	When     Expr // zero if not given
	Because  string
	Severity Severity
	Within   time.Duration // 0 if not given
	Per      Per           // only in invariants
}

// EachDecl is an item under each.
type EachDecl struct {
	Range    diag.Range // of Check
	Name     string     // empty if not given
	Set      string     // the declared set whose spans are meant; empty if Spans is a selector
	Spans    Expr
	Check    Expr
	Because  string
	Severity Severity
	Per      Per // only in invariants
}

// Across holds assertions over many instances of one flow.
type Across struct {
	Range  diag.Range // of the key
	Runs   int
	Expect []AssertionDecl
}

// Trigger makes a flow happen. Exactly one of HTTP, Command and GRPC is set.
type Trigger struct {
	Range   diag.Range // of the key
	HTTP    *HTTPTrigger
	Command *CommandTrigger
	GRPC    *GRPCTrigger
	Repeat  int // at least 1
}

// answers reports whether the trigger is answered with something that assertions
// can read; a command is not.
func (t *Trigger) answers() bool { return t != nil && t.Command == nil }

// HTTPTrigger is one request.
type HTTPTrigger struct {
	Method  Template // "GET", or "POST" with a body, if not given
	URL     Template
	Headers []Variable
	Body    Template // zero if there is none
	JSON    *JSON    // nil if there is none
	Timeout time.Duration
}

// CommandTrigger is one run of a program.
type CommandTrigger struct {
	Command
	Timeout time.Duration
}

// GRPCTrigger is one unary call.
type GRPCTrigger struct {
	Target   Template // host:port is plaintext, grpcs://host:port is TLS
	Method   Template // package.Service/Method
	JSON     *JSON    // nil is the empty message
	Metadata []Variable
	// Descriptors is the path of a file with a FileDescriptorSet, as protoc and buf write it; zero: the server's
	// reflection is asked.
	Descriptors Template
	Timeout     time.Duration
}
