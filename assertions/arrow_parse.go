package assertions

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/followspan/followspan/internal/diag"
)

const arrowExample = "checkout -> payment: Charge within 1s, exactly once"

// parseArrows reads the lines of a calls or sequence block:
//
//	caller ARROW callee [: operation] [within D][, exactly once | exactly N | at most N | at least N | optional][, through [services]][, as name]
//
// Empty lines and comments, from "#" at the start or " #" on, are skipped. A line with a mistake is reported and left out.
func parseArrows(text string, at locate) ([]Arrow, diag.List) {
	var arrows []Arrow
	problems := eachLine(text, arrowExample, at, func(s *lineScanner) {
		if a, ok := s.arrowLine(); ok {
			arrows = append(arrows, a)
		}
	})
	return arrows, problems
}

func (s *lineScanner) arrowLine() (Arrow, bool) {
	a := Arrow{Count: Count{Min: 1, Max: -1}}
	start := s.pos
	ok := s.party(&a.Caller, "caller") && s.arrow(&a) && s.party(&a.Callee, "callee") && s.operation(&a) && s.within(&a) && s.modifiers(&a)
	a.Range = s.at(start, len(s.text))
	return a, ok && s.sensible(a)
}

var arrowForms = []struct {
	text      string
	relation  Relation
	forbidden bool
}{
	{"!->", Calls, true}, {"!=>", CallsDirectly, true}, {"!~>", Causes, true},
	{"->", Calls, false}, {"=>", CallsDirectly, false}, {"~>", Causes, false},
}

func (s *lineScanner) arrow(a *Arrow) bool {
	s.blanks()
	start := s.pos
	for _, form := range arrowForms {
		if s.take(form.text) && !strings.HasPrefix(s.rest(), ">") {
			a.Relation, a.Forbidden, a.ArrowRange = form.relation, form.forbidden, s.at(start, s.pos)
			return true
		}
		s.pos = start
	}
	if s.done() {
		return s.fail(start, start, "a line without arrow", "expected ->, => or ~> and a callee", s.example)
	}
	end := start + arrowLike(s.rest())
	if end == start {
		return s.fail(start, start+s.wordSize(), "a line without arrow", "expected ->, => or ~> here", s.example, "quote a name with blanks: \"my service\"")
	}
	return s.fail(start, end, "unknown arrow", "the arrows are ->, => and ~>, each also with a leading !", nearestArrow(s.text[start:end]))
}

// arrowLike is the length of what was probably meant to be an arrow, blanks after a "!" included.
func arrowLike(text string) int {
	rest := text
	if strings.HasPrefix(rest, "!") {
		rest = strings.TrimLeft(rest[1:], " \t")
	}
	return len(text) - len(strings.TrimLeft(rest, "-=~<>!→⇒⇝⟶"))
}

func nearestArrow(text string) string {
	forbids := ""
	if strings.Contains(text, "!") {
		forbids = "!"
	}
	switch {
	case strings.Contains(text, "<"):
		return "arrows point to the right: caller " + forbids + "-> callee"
	case strings.ContainsAny(text, "~⇝"):
		return forbids + "~>"
	case strings.ContainsAny(text, "=⇒"):
		return forbids + "=>"
	}
	return forbids + "->"
}

// operation reads ": operation", which ends with the line, at a comma with a blank behind, or at " within ".
func (s *lineScanner) operation(a *Arrow) bool {
	s.blanks()
	if !s.take(":") {
		return true
	}
	s.blanks()
	start := s.pos
	if s.done() || s.text[s.pos] == ',' {
		return s.fail(start-1, start, "an arrow with an empty operation", "the name of the operation is missing after the colon", "leave the colon out to mean any operation")
	}
	if quote := s.text[s.pos]; quote == '"' || quote == '\'' {
		return s.quoted(&a.Operation, &a.OperationRange, quote)
	}
	end := len(s.text)
	if m := operationEnd.FindStringIndex(s.rest()); m != nil {
		end = start + m[0]
	}
	if m := lostComma.FindStringSubmatchIndex(s.text[start:end]); m != nil {
		from := start + m[2]
		return s.fail(from, end, "a comma is missing", fmt.Sprintf("%q must follow a comma", s.text[from:end]), s.text[start:start+m[0]]+", "+s.text[from:end], "quote the operation if this is a part of it")
	}
	a.Operation, a.OperationRange = s.text[start:end], s.at(start, end)
	s.pos = end
	return true
}

// lostComma finds a count at the end of an operation.
var lostComma = regexp.MustCompile(`\s+((?:exactly|at most|at least) (?:once|\d+)|optional)$`)

var operationEnd = regexp.MustCompile(`\s*,(?:\s|$)|\s*,(?:exactly|at|optional|through|as|within)(?:\s|$)|\s+within(?:\s|$)`)

// sensible refuses what an arrow says twice or cannot mean.
func (s *lineScanner) sensible(a Arrow) bool {
	if a.Relation != CallsDirectly && !a.ThroughRange.IsZero() {
		return s.failAt(a.ThroughRange, "through belongs to =>", a.Relation.String()+" is at any depth, whatever stands in between", throughExample, "leave it out")
	}
	if !a.Forbidden {
		return true
	}
	for _, extra := range []diag.Range{a.WithinRange, a.Count.Range, a.AsRange} {
		if !extra.IsZero() {
			s.problems = append(s.problems, diag.Diagnostic{Severity: diag.Error, What: "a forbidden call with a condition", Range: extra,
				Label: "what must not happen has neither time nor count nor name", Also: []diag.Mark{{Range: a.ArrowRange, Label: "forbidden here"}}})
			return false
		}
	}
	return true
}
