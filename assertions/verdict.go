package assertions

import (
	"time"

	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/trace"
)

// Outcome is what an assertion found.
type Outcome uint8

const (
	Undecided Outcome = iota
	Pass
	Fail
	Inconclusive  // it would pass, but what is missing or uncertain could change that
	Errored       // it could not be evaluated
	NotApplicable // its guard is false or missing
)

var outcomeNames = [...]string{"undecided", "pass", "fail", "inconclusive", "error", "not applicable"}

// String returns the word that reports use.
func (o Outcome) String() string { return outcomeNames[o] }

// Severity says whether a failed assertion fails the run.
type Severity uint8

const (
	SeverityError Severity = iota
	SeverityWarn           // reported; it never changes the exit code unless asked to
)

// Kind is the key of the flow file under which an assertion stands.
type Kind uint8

const (
	KindExpect Kind = iota
	KindNever
	KindEach
	KindCalls
	KindSequence
	KindOnly
	KindRuns // how often the flow must happen
	KindAcross
)

var kindNames = [...]string{"expect", "never", "each", "calls", "sequence", "only", "runs", "across"}

// String returns the key of the file.
func (k Kind) String() string { return kindNames[k] }

// Assertion is one named expectation of a flow file. It is immutable and shared
// by all verdicts about it.
type Assertion struct {
	Flow     string // the declared flow, or "invariants"
	Name     string // as given, else the source on one line
	Kind     Kind
	Text     string     // the source as written
	Range    diag.Range // where it stands
	Because  string
	Severity Severity
}

// Grade says how well an absence is known.
type Grade uint8

const (
	NoAbsence Grade = iota // the verdict rests on no absence
	Proved                 // whoever could have sent it has sent everything
	Quiet                  // no open edge, only silence
	Unproved               // closed with open edges
)

var gradeNames = [...]string{"", "proved", "quiet", "unproved"}

// String returns the word that reports use.
func (g Grade) String() string { return gradeNames[g] }

// Verdict is what one assertion found in one instance of a flow. It holds no
// spans, only copies of what it says about them, so it may outlive the flow.
type Verdict struct {
	Assertion *Assertion
	Instance  string // trace.FlowRecord.ID
	Outcome   Outcome
	Grade     Grade
	Vacuous   bool // it holds because there was nothing to look at
	unasked   bool // NotApplicable, and that rests on an absence
	// Early: it latched while the flow was open, since no later span could change it.
	Early bool
	// At is when it was decided, from the start of the instance by the receiver's
	// clock; By is the span whose arrival decided it, nil if closing did.
	At       time.Duration
	By       *SpanRef
	Evidence *Evidence // nil if there is nothing to say, as of most passes
}

// Explanation is the evidence, empty if there is none. It is for reading.
func (v *Verdict) Explanation() *Evidence {
	if v.Evidence == nil {
		return &Evidence{}
	}
	return v.Evidence
}

// explained is the evidence, to be added to.
func (v *Verdict) explained() *Evidence {
	if v.Evidence == nil {
		v.Evidence = &Evidence{}
	}
	return v.Evidence
}

// SpanRef is what a report says about one span.
type SpanRef struct {
	Node       trace.Node // within the flow that was judged
	TraceID    trace.TraceID
	SpanID     trace.SpanID
	Service    string
	Name       string
	Kind       trace.Kind
	Status     trace.Status
	Start, End trace.Time
	Process    string // whose clock wrote Start and End; see trace.Resource
	Host       string
}

// Evidence is why a verdict is what it is. Every part may be empty; a report
// shows those that are not, in the order of the fields.
type Evidence struct {
	// Why says in one line what is wrong: "2 spans, exactly 1 allowed". It is set
	// for every verdict but a pass.
	Why string
	// At is the part of the assertion's source that is to blame; the zero Range
	// means all of it.
	At diag.Range
	// Values are those of the sub-expressions, each under its own column.
	Values []ValueAt
	// Facts are the figures that matter: "measured" "3.012s", "allowed" "2s".
	Facts []Fact
	// Spans are the spans to look at, each with what it is here for: the surplus
	// one, a counter-example. More are left out, Of in all.
	Spans []SpanNote
	Of    int
	// Timeline are spans to be drawn on one axis.
	Timeline []SpanNote
	// Near are spans that nearly were the missing one, the best first.
	Near []NearMiss
	// Notes are further observations, each a sentence.
	Notes []string
	// Try says what to do next.
	Try []string
}

// ValueAt is the value of the sub-expression at a place of the source.
type ValueAt struct {
	At   diag.Range
	Text string // of the sub-expression
	Show string // its value, formatted for people
}

// Fact is a labelled figure.
type Fact struct{ Label, Text string }

// SpanNote is a span and what it is shown for.
type SpanNote struct {
	Span SpanRef
	Note string
}

// NearMiss is a span that satisfies part of a selector.
type NearMiss struct {
	Span        SpanRef
	Holds, Of   int    // conjuncts that hold, of how many
	Fails       string // the first conjunct that does not hold: kind == "consumer"
	Actual      string // with which value: kind is "server"
	OtherTrace  bool   // it is no member of the flow
	Explanation string // what its place in another trace means, if anything
}
