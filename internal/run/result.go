package run

import (
	"slices"
	"time"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/trace"
)

// Result is everything that one run found, in a stable order: flows as they stand
// in their files, instances by their start, verdicts as their assertions stand.
type Result struct {
	Started  time.Time
	Duration time.Duration
	Ended    End
	// Recorded says that recorded traces were judged, and nothing ran.
	Recorded bool
	Files    []FileResult
	// Steps are what the run did besides judging: the system, the triggers and the
	// command under test, with how each ended.
	Steps []Step
	// Received is what arrived in all, Refused what was not taken, by reason.
	Received Received
	// Warnings are what a person should know though nothing failed: a selector that
	// matched nothing, a guard that never applied.
	Warnings []diag.Diagnostic
}

// End says why a run ended.
type End uint8

const (
	EndedByVerdicts  End = iota // every verdict was certain
	EndedByDeadline             // some flow had to be closed at its deadline
	EndedByCommand              // the command under test ended, and what followed was waited for
	EndedByInterrupt            // somebody stopped it
	EndedByFailure              // the system, the trigger or the command could not run
	EndedByRecording            // the recorded traces were read to their end
)

// FileResult is what one flow file asserted.
type FileResult struct {
	Name  string
	Flows []FlowResult
}

// FlowResult is what was found about one declared flow.
type FlowResult struct {
	Name        string
	Description string
	Instances   []InstanceResult
	// Runs is the verdict on how often the flow happened; nil if nothing was asked.
	Runs *assertions.Verdict
	// Across are the verdicts over all instances.
	Across []assertions.Verdict
}

// Overall returns the verdicts that are about no single instance.
func (f *FlowResult) Overall() []assertions.Verdict {
	if f.Runs == nil {
		return f.Across
	}
	return append(slices.Clip(f.Across), *f.Runs)
}

// InstanceResult is one time that a flow happened.
type InstanceResult struct {
	Flow     trace.Flow // as it was closed
	Verdicts []assertions.Verdict
}

// Step is one thing that the run started.
type Step struct {
	Kind     StepKind
	Name     string        // the command line, or METHOD URL
	Duration time.Duration // 0 if it could not be started
	Err      string        // what went wrong, empty if nothing did
	ExitCode int           // of a command that ended by itself; -1 otherwise
	// Output is the end of what a failed command printed, at most 20 lines.
	Output []string
}

// StepKind is what a step was.
type StepKind uint8

const (
	StepSystem StepKind = iota
	StepTrigger
	StepCommand
)

var stepNames = [...]string{"system", "trigger", "command"}

// String returns the word that reports use.
func (k StepKind) String() string { return stepNames[k] }

// Received counts what arrived.
type Received struct {
	Spans    int
	Traces   int
	Requests int
	Copies   int            // spans received again
	Services []ServiceCount // by name
	Unjoined []ServiceCount // spans that belong to no flow, by name
	Refused  []trace.Loss
}

// ServiceCount is how many spans a service sent.
type ServiceCount struct {
	Service string
	Spans   int
}

// Exit codes, in order of precedence: 2, 3, 1, 4, 0.
const (
	ExitPassed       = 0
	ExitFailed       = 1
	ExitBadInput     = 2
	ExitCannotRun    = 3
	ExitInconclusive = 4
)
