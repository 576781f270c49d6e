package assertions

import (
	"strings"

	"github.com/followspan/followspan/internal/diag"
)

const onlyExample = "checkout -> [inventory, payment]"

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
	if !strings.HasPrefix(s.rest(), "[") {
		return s.fail(s.pos, len(s.text), "only without a list", "the allowed callees stand in brackets", onlyExample)
	}
	if !s.list(&d.Callees, "callee", onlyExample) {
		return false
	}
	if s.blanks(); !s.done() {
		return s.fail(s.pos, len(s.text), "text after the list", "an only line ends with its list")
	}
	return true
}

// list reads parties in brackets.
func (s *lineScanner) list(into *[]Party, role, example string) bool {
	s.take("[")
	for first := true; ; first = false {
		s.blanks()
		if s.take("]") {
			return true
		}
		if !first && !s.take(",") {
			return s.fail(s.pos, s.pos+s.wordSize(), "a list that is not closed", `expected "," or "]"`, example)
		}
		s.blanks()
		if s.take("]") {
			return true
		}
		var p Party
		if !s.party(&p, role) {
			return false
		}
		*into = append(*into, p)
	}
}
