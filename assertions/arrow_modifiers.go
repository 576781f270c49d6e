package assertions

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/followspan/followspan/internal/diag"
)

var modifierWords = []string{"within", "exactly", "at most", "at least", "optional", "through", "as"}

const modifierList = "within D, exactly once, exactly N, at most N, at least N, optional, through [SERVICE], as NAME"

// within reads a "within D" that stands without comma.
func (s *lineScanner) within(a *Arrow) bool {
	s.blanks()
	if s.done() || s.text[s.pos] == ',' {
		return true
	}
	start := s.pos
	end := start + strings.IndexByte(s.rest()+",", ',')
	text := strings.TrimRight(s.text[start:end], " \t")
	s.pos = end
	if text == "within" || strings.HasPrefix(text, "within ") {
		return s.modifier(a, start, text)
	}
	return s.stray(start, text)
}

// stray reports text behind the callee that is no part of an arrow.
func (s *lineScanner) stray(start int, text string) bool {
	end := start + len(text)
	first, _, _ := strings.Cut(text, " ")
	switch {
	case arrowLike(text) > 0 || strings.Contains(text, "->") || strings.Contains(text, "=>") || strings.Contains(text, "~>"):
		return s.fail(start, end, "several arrows in one line", "each arrow needs a line of its own", "in YAML, start the block with | to keep its lines apart")
	case isModifier(first):
		return s.fail(start, end, "a comma is missing", fmt.Sprintf("%q must follow a comma", text), ", "+text)
	}
	return s.fail(start, end, "text after the callee", "this is neither an operation nor a condition", ": "+text+" if it is the operation", arrowExample)
}

func isModifier(word string) bool {
	switch word {
	case "exactly", "at", "optional", "as", "once", "within", "through":
		return true
	}
	return false
}

// modifiers reads what follows, separated by commas.
func (s *lineScanner) modifiers(a *Arrow) bool {
	for !s.done() {
		s.take(",")
		s.blanks()
		start := s.pos
		if rest := s.rest(); strings.HasPrefix(rest, "through") && strings.HasPrefix(strings.TrimLeft(rest[len("through"):], " \t"), "[") {
			if !s.through(a) {
				return false
			}
			continue
		}
		end := start + strings.IndexByte(s.rest()+",", ',')
		text := strings.TrimRight(s.text[start:end], " \t")
		s.pos = end
		if text == "" {
			return s.fail(start-1, start, "a comma too many", "nothing follows it")
		}
		if !s.modifier(a, start, text) {
			return false
		}
	}
	return true
}

func (s *lineScanner) modifier(a *Arrow, start int, text string) bool {
	word, rest, _ := strings.Cut(text, " ")
	restAt := start + len(text) - len(strings.TrimLeft(rest, " \t"))
	rest = strings.TrimLeft(rest, " \t")
	whole := s.at(start, start+len(text))
	switch word {
	case "within":
		return s.once(a.WithinRange, whole, "time") && s.duration(a, whole, restAt, rest)
	case "through":
		return s.fail(start, start+len(text), "through without a list", "the services that a call may pass stand in brackets", throughExample)
	case "as":
		return s.once(a.AsRange, whole, "name") && s.name(a, whole, restAt, rest)
	}
	count, problem := parseCount(text)
	if text == "optional" {
		count, problem = Count{Min: 0, Max: -1}, ""
	} else if !strings.HasPrefix(text, "exactly") && !strings.HasPrefix(text, "at ") {
		return s.unknownModifier(start, text, word)
	}
	if problem != "" {
		return s.fail(start, start+len(text), "unknown count", "a count is: exactly once, exactly N, at most N, at least N, optional", problem)
	}
	if !s.once(a.Count.Range, whole, "count") {
		return false
	}
	count.Range = whole
	a.Count = count
	return true
}

const throughExample = "checkout => payment, through [istio-proxy]"

// through reads "through [a, b]", the services that a direct call may pass.
func (s *lineScanner) through(a *Arrow) bool {
	start, earlier := s.pos, a.ThroughRange
	s.take("through")
	s.blanks()
	if !s.list(&a.Through, "service", throughExample) {
		return false
	}
	a.ThroughRange = s.at(start, s.pos)
	if s.blanks(); !s.done() && s.text[s.pos] != ',' {
		return s.fail(s.pos, len(s.text), "a comma is missing", "a comma or the end of the line must follow the list")
	}
	return s.once(earlier, a.ThroughRange, "list")
}

func (s *lineScanner) once(earlier, again diag.Range, what string) bool {
	if earlier.IsZero() {
		return true
	}
	s.problems = append(s.problems, diag.Diagnostic{Severity: diag.Error, What: "an arrow with two " + what + "s", Range: again, Label: "again here",
		Also: []diag.Mark{{Range: earlier, Label: "first here"}}})
	return false
}

func (s *lineScanner) duration(a *Arrow, whole diag.Range, start int, text string) bool {
	d, hint, ok := parseDuration(text)
	if !ok || d <= 0 {
		return s.fail(start, start+len(text), "within needs a time", durationLabel(text), "within "+hint)
	}
	a.Within, a.WithinRange = d, whole
	return true
}

func (s *lineScanner) name(a *Arrow, whole diag.Range, start int, text string) bool {
	if !isIdentifier(text) {
		return s.fail(start, start+len(text), "as needs a name", "a name is letters, digits and _, and starts with none of the digits", "as "+identifierFrom(text))
	}
	a.As, a.AsRange = text, whole
	return true
}

func (s *lineScanner) unknownModifier(start int, text, word string) bool {
	label := fmt.Sprintf("%q is none of: %s", text, modifierList)
	var try []string
	switch near, ok := diag.Suggest(word, modifierWords); {
	case ok:
		try = append(try, strings.Replace(text, word, near, 1))
	default:
		if hint := countHint(text); hint != "" {
			try = append(try, hint)
		} else {
			try = append(try, "quote the operation if this is a part of it")
		}
	}
	return s.fail(start, start+len(text), "unknown condition of an arrow", label, try...)
}

// parseCount reads "exactly once", "exactly N", "at least N" and "at most N", "once" being 1 everywhere.
// If the text is none of these, hint is what was probably meant.
func parseCount(text string) (count Count, hint string) {
	words := strings.Fields(text)
	switch {
	case len(words) == 2 && words[0] == "exactly":
		if n, ok := countNumber(words[1]); ok {
			return Count{Min: n, Max: n}, ""
		}
	case len(words) == 3 && words[0] == "at" && words[1] == "least":
		if n, ok := countNumber(words[2]); ok {
			return Count{Min: n, Max: -1}, ""
		}
	case len(words) == 3 && words[0] == "at" && words[1] == "most":
		if n, ok := countNumber(words[2]); ok {
			return Count{Min: 0, Max: n}, ""
		}
	}
	if hint = countHint(text); hint == "" {
		hint = "exactly 1"
	}
	return Count{}, hint
}

func countNumber(word string) (int, bool) {
	if word == "once" {
		return 1, true
	}
	n, err := strconv.Atoi(word)
	return n, err == nil && n >= 0 && n <= maxCount && word[0] != '+'
}

const maxCount = 1_000_000_000

// countWords are numbers as people write them.
var countWords = map[string]string{"never": "0", "no": "0", "zero": "0", "once": "1", "one": "1", "twice": "2", "two": "2", "thrice": "3", "three": "3", "four": "4", "five": "5"}

// countHint guesses the count that the text means, or returns "".
func countHint(text string) string {
	bound, number := "exactly", ""
	for _, word := range strings.Fields(strings.ToLower(text)) {
		switch word {
		case "most", "atmost", "max", "maximum", "<=", "upto":
			bound = "at most"
		case "least", "atleast", "min", "minimum", ">=":
			bound = "at least"
		}
		if digits := strings.Trim(word, "x×*=<>+"); digits != "" && strings.Trim(digits, "0123456789") == "" {
			number = digits
		} else if n, ok := countWords[word]; ok {
			number = n
		}
	}
	if number == "" {
		return ""
	}
	return bound + " " + number
}
