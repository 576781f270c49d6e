package run

import (
	"testing"

	"github.com/followspan/followspan/assertions"
)

func TestExitCode(t *testing.T) {
	const (
		pass         = assertions.Pass
		fail         = assertions.Fail
		inconclusive = assertions.Inconclusive
		errored      = assertions.Errored
		guarded      = assertions.NotApplicable
	)
	warn := &assertions.Assertion{Severity: assertions.SeverityWarn}
	system := Step{Kind: StepSystem, Err: "exit status 1", ExitCode: 1}
	trigger := Step{Kind: StepTrigger, Err: "connection refused", ExitCode: -1}
	unstarted := Step{Kind: StepCommand, Err: "no such file", ExitCode: -1}
	complained := Step{Kind: StepCommand, ExitCode: 2}
	for _, test := range []struct {
		reason       string
		outcomes     []assertions.Outcome
		warnings     []assertions.Outcome
		runs         assertions.Outcome
		steps        []Step
		ended        End
		want, strict int
	}{
		{reason: "nothing was judged", want: ExitFailed, strict: ExitFailed},
		{reason: "only guards that never held", outcomes: []assertions.Outcome{guarded}, want: ExitFailed, strict: ExitFailed},
		{reason: "all passed", outcomes: []assertions.Outcome{pass, guarded, pass}},
		{reason: "the flow happened, nothing else was asked", runs: pass},
		{reason: "the flow never happened", runs: fail, want: ExitFailed, strict: ExitFailed},
		{reason: "one failed", outcomes: []assertions.Outcome{pass, fail}, want: ExitFailed, strict: ExitFailed},
		{reason: "one error", outcomes: []assertions.Outcome{pass, errored}, want: ExitFailed, strict: ExitFailed},
		{reason: "one inconclusive", outcomes: []assertions.Outcome{pass, inconclusive}, want: ExitInconclusive, strict: ExitInconclusive},
		{reason: "undecided is inconclusive", outcomes: []assertions.Outcome{pass, assertions.Undecided}, want: ExitInconclusive, strict: ExitInconclusive},
		{reason: "failed before inconclusive", outcomes: []assertions.Outcome{inconclusive, fail}, want: ExitFailed, strict: ExitFailed},
		{reason: "a failed warning", outcomes: []assertions.Outcome{pass}, warnings: []assertions.Outcome{fail}, strict: ExitFailed},
		{reason: "a warning that is an error", outcomes: []assertions.Outcome{pass}, warnings: []assertions.Outcome{errored}, strict: ExitFailed},
		{reason: "an inconclusive warning", outcomes: []assertions.Outcome{pass}, warnings: []assertions.Outcome{inconclusive}, strict: ExitInconclusive},
		{reason: "a passed warning", warnings: []assertions.Outcome{pass}},
		{reason: "the system did not start", outcomes: []assertions.Outcome{fail}, steps: []Step{system}, want: ExitCannotRun, strict: ExitCannotRun},
		{reason: "the command could not be started", outcomes: []assertions.Outcome{pass}, steps: []Step{unstarted}, want: ExitCannotRun, strict: ExitCannotRun},
		{reason: "the command complained", outcomes: []assertions.Outcome{pass}, steps: []Step{complained}, want: ExitFailed, strict: ExitFailed},
		{reason: "the command complained, with words", outcomes: []assertions.Outcome{pass},
			steps: []Step{{Kind: StepCommand, Err: "exit status 2", ExitCode: 2}}, want: ExitFailed, strict: ExitFailed},
		{reason: "the command was killed", outcomes: []assertions.Outcome{pass},
			steps: []Step{{Kind: StepCommand, Err: "killed by a signal", ExitCode: -1, Duration: 1}}, want: ExitFailed, strict: ExitFailed},
		{reason: "the trigger failed", outcomes: []assertions.Outcome{inconclusive}, steps: []Step{trigger}, want: ExitFailed, strict: ExitFailed},
		{reason: "the trigger failed and ended the run", steps: []Step{trigger}, ended: EndedByFailure, want: ExitFailed, strict: ExitFailed},
		{reason: "the trigger failed, then the system", steps: []Step{trigger, system}, want: ExitCannotRun, strict: ExitCannotRun},
		{reason: "steps that went well", outcomes: []assertions.Outcome{pass}, steps: []Step{{Kind: StepSystem, ExitCode: -1}, {Kind: StepCommand}}},
		{reason: "ended by a failure of no step", outcomes: []assertions.Outcome{pass}, ended: EndedByFailure, want: ExitCannotRun, strict: ExitCannotRun},
		{reason: "interrupted, all passed so far", outcomes: []assertions.Outcome{pass}, ended: EndedByInterrupt, want: ExitInconclusive, strict: ExitInconclusive},
		{reason: "interrupted, one failed", outcomes: []assertions.Outcome{fail}, ended: EndedByInterrupt, want: ExitFailed, strict: ExitFailed},
	} {
		var flow FlowResult
		var instance InstanceResult
		for _, o := range test.outcomes {
			instance.Verdicts = append(instance.Verdicts, assertions.Verdict{Assertion: &assertions.Assertion{}, Outcome: o})
		}
		for _, o := range test.warnings {
			instance.Verdicts = append(instance.Verdicts, assertions.Verdict{Assertion: warn, Outcome: o})
		}
		flow.Instances = []InstanceResult{instance}
		if test.runs != assertions.Undecided {
			flow.Runs = &assertions.Verdict{Assertion: &assertions.Assertion{Kind: assertions.KindRuns}, Outcome: test.runs}
		}
		r := &Result{Files: []FileResult{{Flows: []FlowResult{flow}}}, Steps: test.steps, Ended: test.ended}
		if got := r.ExitCode(false); got != test.want {
			t.Errorf("%s: exit code %d, want %d", test.reason, got, test.want)
		}
		if got := r.ExitCode(true); got != test.strict {
			t.Errorf("%s: strict exit code %d, want %d", test.reason, got, test.strict)
		}
	}
}
