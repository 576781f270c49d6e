package run

import (
	"iter"

	"github.com/followspan/followspan/assertions"
)

// Tally counts the verdicts of a run, each once.
type Tally struct {
	Passed, Failed, Errored, Inconclusive int
	// Warned are those of severity warn that did not pass.
	Warned        int
	NotApplicable int
}

// Judged is how many assertions found something.
func (t Tally) Judged() int { return t.Passed + t.Failed + t.Errored + t.Inconclusive + t.Warned }

// Add counts one verdict. Under strict a warning counts like any other verdict.
func (t *Tally) Add(v *assertions.Verdict, strict bool) {
	switch {
	case v.Outcome == assertions.Pass:
		t.Passed++
	case v.Outcome == assertions.NotApplicable:
		t.NotApplicable++
	case v.Assertion != nil && v.Assertion.Severity == assertions.SeverityWarn && !strict:
		t.Warned++
	case v.Outcome == assertions.Fail:
		t.Failed++
	case v.Outcome == assertions.Errored:
		t.Errored++
	default: // An undecided assertion is one of which nothing is known.
		t.Inconclusive++
	}
}

// Verdicts yields all verdicts in the order of the result, those on how often a
// flow happened after those of its instances.
func (r *Result) Verdicts() iter.Seq[*assertions.Verdict] {
	return func(yield func(*assertions.Verdict) bool) {
		for i := range r.Files {
			for j := range r.Files[i].Flows {
				if !r.Files[i].Flows[j].eachVerdict(yield) {
					return
				}
			}
		}
	}
}

func (f *FlowResult) eachVerdict(yield func(*assertions.Verdict) bool) bool {
	for i := range f.Instances {
		verdicts := f.Instances[i].Verdicts
		for k := range verdicts {
			if !yield(&verdicts[k]) {
				return false
			}
		}
	}
	for i := range f.Across {
		if !yield(&f.Across[i]) {
			return false
		}
	}
	return f.Runs == nil || yield(f.Runs)
}

// Tally counts the verdicts; under strict warnings count as failures.
func (r *Result) Tally(strict bool) Tally {
	var t Tally
	for v := range r.Verdicts() {
		t.Add(v, strict)
	}
	return t
}

// Failed reports whether the step went wrong in any way.
func (s Step) Failed() bool { return s.Err != "" || s.ExitCode > 0 }

// CannotRun reports whether the step kept the run from taking place: the system
// did not come up, or the command under test could not be started. A trigger that
// fails, and a command that ends with a complaint or by a signal, say something
// about the system.
func (s Step) CannotRun() bool {
	switch s.Kind {
	case StepSystem:
		return s.Failed()
	case StepCommand:
		return s.Err != "" && s.ExitCode < 0 && s.Duration == 0
	}
	return false
}

// ExitCode is the code with which a program should end after this run. Under
// strict a failed assertion of severity warn counts like any other. A run that
// judged nothing failed, and one that was interrupted is at best inconclusive.
func (r *Result) ExitCode(strict bool) int {
	stepFailed := false
	for _, s := range r.Steps {
		if s.CannotRun() {
			return ExitCannotRun
		}
		stepFailed = stepFailed || s.Failed()
	}
	t := r.Tally(strict)
	switch {
	case r.Ended == EndedByFailure && !stepFailed:
		return ExitCannotRun
	case stepFailed || t.Failed > 0 || t.Errored > 0 || t.Judged() == 0:
		return ExitFailed
	case t.Inconclusive > 0 || r.Ended == EndedByInterrupt:
		return ExitInconclusive
	}
	return ExitPassed
}
