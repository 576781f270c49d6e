package assertions

import (
	"fmt"

	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/internal/diag"
)

// Lint says what is odd about a suite though nothing is wrong with it: warnings about what probably means something
// else than its author thinks, or nothing at all, and a note about attributes that have several names. They are in
// order of position.
func (s *Suite) Lint() diag.List {
	l := &linter{suite: s, used: map[diag.Range]bool{}, params: map[string]bool{}, renamed: map[string]diag.Range{}}
	for _, f := range s.flows {
		l.flow(f)
	}
	l.unusedSets()
	l.unusedParams()
	l.renamedAttributes()
	return l.found.Sorted()
}

// LintRun says what several suites that may be run together leave open. Unlike [CheckRun] it does not take for granted
// that the files are all of a run, nor that they are of one.
func LintRun(files []*File, params map[string]string) diag.List {
	problems := checkOverrides(files, params)
	for _, d := range checkOpen(files) {
		d.Severity = diag.Warning
		d.Notes = append(d.Notes, "Another file of the run may have a system that captures it.")
		problems = append(problems, d)
	}
	return problems.Sorted()
}

// linter collects what is odd about one suite.
type linter struct {
	suite   *Suite
	found   diag.List
	used    map[diag.Range]bool   // sets that an assertion reads, by the place of their names
	params  map[string]bool       // those that expressions name
	renamed map[string]diag.Range // attributes with several names, with their first place
}

func (l *linter) warn(at diag.Range, what, label string, try ...string) {
	l.found = append(l.found, diag.Diagnostic{Severity: diag.Warning, What: what, Range: at, Label: label, Try: try})
}

func (l *linter) flow(f *Flow) {
	for _, w := range l.written(f) {
		l.expression(w)
	}
	for _, k := range f.plan.checks {
		l.impossible(k)
	}
	l.usedSets(f)
	l.severalOrigins(f)
	l.assertsNothing(f)
}

func (l *linter) expression(w written) {
	clocks := newClocks(w)
	w.root.Walk(func(e *lang.Expr) bool {
		switch e.Op {
		case lang.OpParam:
			l.params[e.Operator] = true
		case lang.OpAttr:
			l.attribute(w, e)
		case lang.OpNot:
			l.negation(w, e)
		case lang.OpCompare, lang.OpArith:
			l.times(w, e, clocks)
		}
		return true
	})
}

// assertsNothing warns about a flow of which nothing is said.
func (l *linter) assertsNothing(f *Flow) {
	d := f.Decl
	if len(f.Assertions) > 0 || d.Across != nil {
		return
	}
	switch {
	case d == l.suite.file.Invariants || d.Runs.Min == 0 && d.Runs.Max < 0:
		l.warn(d.Range, "nothing is asserted here", fmt.Sprintf("%s has no assertions", f.Name), "add expect, never, each or calls")
	case d.Runs.Range.IsZero():
		l.warn(d.Range, "a flow without assertions", "all that is asserted is that it happens",
			"add expect, never, each or calls", "runs: "+d.Runs.String()+", if that is all")
	}
}
