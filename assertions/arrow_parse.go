package assertions

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/followspan/followspan/internal/diag"
)

// locate turns byte offsets of a text into a range of the file.
type locate func(start, end int) diag.Range

// parseArrows reads the lines of a calls or sequence block:
//
//	caller ARROW callee [: operation] [within D][, exactly once | exactly N | at most N | at least N | optional][, as name]
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

// parseOnly reads lines of the form caller -> [callee, callee].
func parseOnly(text string, at locate) ([]OnlyDecl, diag.List) {
	var decls []OnlyDecl
	problems := eachLine(text, onlyExample, at, func(s *lineScanner) {
		if d, ok := s.onlyLine(); ok {
			decls = append(decls, d)
		}
	})
	return decls, problems
}

func eachLine(text, example string, at locate, parse func(*lineScanner)) diag.List {
	var problems diag.List
	start := 0
	for line := range strings.Lines(text) {
		end := start + len(line)
		s := &lineScanner{text: text[:contentEnd(text, start, end)], pos: start, at: at, example: example}
		s.blanks()
		if s.pos < len(s.text) {
			parse(s)
		}
		problems = append(problems, s.problems...)
		start = end
	}
	return problems
}

// contentEnd is where the line's comment starts, or its last visible byte ends.
func contentEnd(text string, start, end int) int {
	quote := byte(0)
	for i := start; i < end; i++ {
		switch c := text[i]; {
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\'') && strings.IndexByte(text[i+1:end], c) >= 0:
			quote = c
		case quote == 0 && c == '#' && (i == start || text[i-1] == ' ' || text[i-1] == '\t'):
			end = i
		}
	}
	return start + len(strings.TrimRight(text[start:end], " \t\r\n"))
}

// lineScanner reads one line. Its text ends with the line; pos counts from the start of the whole block.
type lineScanner struct {
	text     string
	pos      int
	at       locate
	example  string
	problems diag.List
}

func (s *lineScanner) rest() string { return s.text[s.pos:] }

func (s *lineScanner) done() bool { return s.pos >= len(s.text) }

func (s *lineScanner) blanks() {
	s.pos = len(s.text) - len(strings.TrimLeft(s.rest(), " \t"))
}

// take consumes the prefix if it is next.
func (s *lineScanner) take(prefix string) bool {
	if !strings.HasPrefix(s.rest(), prefix) {
		return false
	}
	s.pos += len(prefix)
	return true
}

// fail reports a problem with the bytes from start to end and returns false.
func (s *lineScanner) fail(start, end int, what, label string, try ...string) bool {
	return s.failAt(s.at(start, end), what, label, try...)
}

func (s *lineScanner) failAt(r diag.Range, what, label string, try ...string) bool {
	s.problems = append(s.problems, diag.Diagnostic{Severity: diag.Error, What: what, Range: r, Label: label, Try: try})
	return false
}

const (
	arrowExample = "checkout -> payment: Charge within 1s, exactly once"
	onlyExample  = "checkout -> [inventory, payment]"
)

func (s *lineScanner) arrowLine() (Arrow, bool) {
	a := Arrow{Count: Count{Min: 1, Max: -1}}
	start := s.pos
	ok := s.party(&a.Caller, "caller") && s.arrow(&a) && s.party(&a.Callee, "callee") && s.operation(&a) && s.within(&a) && s.modifiers(&a)
	a.Range = s.at(start, len(s.text))
	return a, ok && s.sensible(a)
}

func (s *lineScanner) party(p *Party, role string) bool {
	s.blanks()
	start := s.pos
	if s.done() {
		return s.fail(s.pos, s.pos, "an arrow without "+role, "the name of a set or a service is missing here", s.example)
	}
	if quote := s.text[s.pos]; quote == '"' || quote == '\'' {
		return s.quoted(&p.Name, &p.Range, quote)
	}
	for !s.done() {
		r, size := utf8.DecodeRuneInString(s.rest())
		if !isNameRune(r) || r == '-' && startsArrow(s.rest()) {
			break
		}
		s.pos += size
	}
	p.Name, p.Range = s.text[start:s.pos], s.at(start, s.pos)
	if s.pos > start {
		return true
	}
	if role == "callee" && s.text[s.pos] == '[' {
		return s.fail(s.pos, len(s.text), "a list of callees", "an arrow has one callee", "one line for each callee", "only: caller -> [callee, callee]")
	}
	return s.fail(s.pos, s.pos+s.symbolSize(), "an arrow without "+role, "the name of a set or a service must stand here", s.example,
		"quote a name with other characters: \"my service\"")
}

// symbolSize is the length of the run of symbols that is next, at least that of one rune.
func (s *lineScanner) symbolSize() int {
	size := strings.IndexFunc(s.rest(), func(r rune) bool { return isNameRune(r) && r != '-' || unicode.IsSpace(r) })
	if size < 0 {
		size = len(s.rest())
	}
	if size == 0 {
		_, size = utf8.DecodeRuneInString(s.rest())
	}
	return size
}

func isNameRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("_.-/", r)
}

// startsArrow reports whether the dash that is next belongs to an arrow and not to a name.
func startsArrow(text string) bool {
	dashes := strings.TrimLeft(text, "-")
	return strings.HasPrefix(dashes, ">") || dashes == "" || len(text)-len(dashes) > 1 || !startsNameRune(dashes)
}

func startsNameRune(text string) bool {
	r, _ := utf8.DecodeRuneInString(text)
	return isNameRune(r)
}

func (s *lineScanner) quoted(into *string, at *diag.Range, quote byte) bool {
	start := s.pos
	size := strings.IndexByte(s.text[start+1:], quote)
	if size < 0 {
		return s.fail(start, len(s.text), "a quote that is not closed", fmt.Sprintf("the closing %c is missing", quote))
	}
	s.pos = start + size + 2
	*into, *at = s.text[start+1:s.pos-1], s.at(start, s.pos)
	if *into == "" {
		return s.fail(start, s.pos, "an empty name", "nothing stands between the quotes")
	}
	return true
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

func (s *lineScanner) wordSize() int {
	if i := strings.IndexAny(s.rest(), " \t,"); i > 0 {
		return i
	}
	return len(s.rest())
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
	a.Operation, a.OperationRange = s.text[start:end], s.at(start, end)
	s.pos = end
	return true
}

var operationEnd = regexp.MustCompile(`\s*,(?:\s|$)|\s*,(?:exactly|at|optional|as|within)(?:\s|$)|\s+within(?:\s|$)`)

// sensible refuses what an arrow says twice or cannot mean.
func (s *lineScanner) sensible(a Arrow) bool {
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

func (s *lineScanner) onlyLine() (OnlyDecl, bool) {
	var d OnlyDecl
	var a Arrow
	start := s.pos
	if !s.party(&d.Caller, "caller") || !s.arrow(&a) {
		return d, false
	}
	if a.Relation != Calls || a.Forbidden {
		return d, s.failAt(a.ArrowRange, "unknown arrow", "only takes a plain arrow", onlyExample)
	}
	ok := s.callees(&d)
	d.Range = s.at(start, len(s.text))
	return d, ok
}

// callees reads "[a, b, c]". The list may be empty: then the caller may call nobody.
func (s *lineScanner) callees(d *OnlyDecl) bool {
	s.blanks()
	if !s.take("[") {
		return s.fail(s.pos, len(s.text), "only without a list", "the allowed callees stand in brackets", onlyExample)
	}
	for first := true; ; first = false {
		s.blanks()
		if s.take("]") {
			break
		}
		if !first && !s.take(",") {
			return s.fail(s.pos, s.pos+s.wordSize(), "a list that is not closed", `expected "," or "]"`, onlyExample)
		}
		s.blanks()
		if s.take("]") {
			break
		}
		var p Party
		if !s.party(&p, "callee") {
			return false
		}
		d.Callees = append(d.Callees, p)
	}
	s.blanks()
	if !s.done() {
		return s.fail(s.pos, len(s.text), "text after the list", "an only line ends with its list")
	}
	return true
}
