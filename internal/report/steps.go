package report

import (
	"fmt"

	"github.com/followspan/followspan/internal/run"
)

// steps writes the steps that went wrong with the end of what they printed.
func (p *page) steps(r *run.Result) {
	for _, s := range r.Steps {
		if !s.Failed() {
			continue
		}
		p.blank()
		p.line(0, painted(red, stepWord(s)), painted(bold, " "+s.Kind.String()+"   "), text(s.Name))
		p.paragraph(3, plainPiece, stepEnd(s))
		if len(s.Output) > 0 {
			p.line(3, painted(dim, "the end of its output:"))
		}
		for _, l := range s.Output {
			p.line(3, painted(dim, "| "), text(l))
		}
	}
}

var plainPiece piece

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
