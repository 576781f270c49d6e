package report

import (
	"strings"

	"github.com/followspan/followspan/internal/run"
)

// summary writes the last line. Its first word follows the exit code. It is one
// line at any width, so that it can be found by a program.
func (p *page) summary(r *run.Result) {
	word, c := verdictWord(r.ExitCode(p.settings.Strict))
	p.blank()
	p.WriteString(p.colored(c, word) + p.clean("  "+strings.Join(summaryParts(r, p.settings.Strict), " · ")) + "\n")
}

func verdictWord(code int) (string, paint) {
	switch code {
	case run.ExitPassed:
		return "ok", green
	case run.ExitCannotRun:
		return "ERROR", red
	case run.ExitInconclusive:
		return "INCONCLUSIVE", yellow
	}
	return "FAIL", red
}

func summaryParts(r *run.Result, strict bool) []string {
	var parts []string
	if steps := stepWords(r); steps != "" {
		parts = append(parts, steps)
	}
	parts = append(parts, tallyWords(r.Tally(strict)))
	flows := 0
	for _, file := range r.Files {
		for _, f := range file.Flows {
			flows += len(f.Instances)
		}
	}
	seen := count(flows, "flow") + ", " + count(r.Received.Spans, "span")
	if n := len(r.Received.Services); n > 0 {
		seen += " of " + count(n, "service")
	}
	parts = append(parts, seen, duration(r.Duration))
	if r.Ended == run.EndedByInterrupt {
		parts = append(parts, "interrupted")
	}
	return parts
}

// tallyWords is "2 failed, 1 inconclusive, 12 passed".
func tallyWords(t run.Tally) string {
	var words []string
	add := func(n int, what string) {
		if n > 0 {
			words = append(words, number(n)+" "+what)
		}
	}
	if t.Judged() == 0 {
		words = append(words, "nothing was judged")
	}
	add(t.Failed, "failed")
	if t.Errored > 0 {
		words = append(words, count(t.Errored, "error"))
	}
	add(t.Inconclusive, "inconclusive")
	if t.Warned > 0 {
		words = append(words, count(t.Warned, "warning"))
	}
	add(t.Passed, "passed")
	add(t.NotApplicable, "not applicable")
	return strings.Join(words, ", ")
}

// stepWords names the kinds of steps that went wrong: "the trigger failed".
func stepWords(r *run.Result) string {
	var words []string
	for _, s := range r.Steps {
		switch {
		case s.CannotRun():
			words = append(words, "the "+s.Kind.String()+" could not run")
		case s.Failed():
			words = append(words, "the "+s.Kind.String()+" failed")
		}
	}
	return strings.Join(words, ", ")
}
