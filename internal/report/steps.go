package report

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/followspan/followspan/internal/run"
)

// complained holds for a command under test that ran and found something wrong:
// it says so itself, and what the flows show explains it.
func complained(s run.Step) bool { return s.Kind == run.StepCommand && s.Failed() && !s.CannotRun() }

// broken holds for any other step that went wrong: it explains what the flows lack.
func broken(s run.Step) bool { return s.Failed() && !complained(s) }

// steps writes those steps with the end of what they printed.
func (p *page) steps(r *run.Result, which func(run.Step) bool) {
	for _, s := range r.Steps {
		if !which(s) {
			continue
		}
		p.blank()
		p.line(0, painted(red, stepWord(s)), painted(bold, " "+s.Kind.String()+"   "), text(s.Name))
		p.paragraph(3, plainPiece, stepEnd(s))
		if len(s.Output) > 0 {
			p.line(3, painted(dim, "the end of its output:"))
		}
		for _, l := range s.Output {
			p.line(3, painted(dim, "| "), text(withoutColor(l)))
		}
	}
}

var coloring = regexp.MustCompile("\x1b\\[[0-9;]*m")

// withoutColor is a line of a command's output as it reads on a terminal. What else
// steers one is escaped later.
func withoutColor(l string) string {
	return strings.ReplaceAll(strings.TrimRight(coloring.ReplaceAllString(l, ""), "\r"), "\t", "    ")
}

// stepWord tells a step that kept the run from taking place from one that failed.
func stepWord(s run.Step) string {
	if s.CannotRun() {
		return "ERROR"
	}
	return "FAIL"
}

// stepEnd says how a step ended.
func stepEnd(s run.Step) string {
	end := s.Err
	if s.ExitCode > 0 && end == "" {
		end = fmt.Sprintf("exited with code %d", s.ExitCode)
	}
	if s.Duration > 0 {
		end += " (after " + duration(s.Duration) + ")"
	}
	return end
}
