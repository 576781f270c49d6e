package assertions

import "github.com/followspan/followspan/internal/diag"

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
