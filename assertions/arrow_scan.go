package assertions

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/followspan/followspan/internal/diag"
)

// locate turns byte offsets of a text into a range of the file.
type locate func(start, end int) diag.Range

// eachLine calls parse for each line that is neither empty nor a comment, and returns what the scanners reported.
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
		case quote == 0 && (c == '"' || c == '\'') && (i == start || strings.IndexByte(" \t:,[>", text[i-1]) >= 0) && strings.IndexByte(text[i+1:end], c) >= 0:
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

func (s *lineScanner) wordSize() int {
	if i := strings.IndexAny(s.rest(), " \t,"); i > 0 {
		return i
	}
	return len(s.rest())
}
