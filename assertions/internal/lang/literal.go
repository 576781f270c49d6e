package lang

import (
	"regexp"
	"strings"
	"time"
)

// expr has no durations. The first digit of 500ms or 1m30s is replaced by its full-width
// twin before parsing, and a point by a letter that looks like one, so that the
// lexer reads an identifier. Not a single column moves.

var durationLiteral = regexp.MustCompile(`^(?:[0-9]+(?:\.[0-9]+)?(?:ns|us|µs|μs|ms|s|m|h))+`)

const (
	wideZero  = '０'
	widePoint = 'ꞏ'
)

// hideDurations returns source with its duration literals made identifiers.
// Strings and comments stay as they are.
func hideDurations(source string) string {
	var b strings.Builder
	for i := 0; i < len(source); {
		n := opaque(source[i:])
		switch {
		case n > 0:
			b.WriteString(source[i : i+n])
		case isDigit(source[i]) && (i == 0 || !isWord(source[i-1]) && source[i-1] != '.'):
			n = hideNumber(&b, source[i:])
		default:
			n = 1
			b.WriteByte(source[i])
		}
		i += n
	}
	return b.String()
}

// hideNumber writes the number at the start of s, hidden if it is a duration, and
// returns its length.
func hideNumber(b *strings.Builder, s string) int {
	m := durationLiteral.FindString(s)
	if m == "" || len(m) < len(s) && isWord(s[len(m)]) {
		n := 1
		for n < len(s) && isWord(s[n]) {
			n++
		}
		b.WriteString(s[:n])
		return n
	}
	b.WriteRune(wideZero + rune(m[0]-'0'))
	b.WriteString(strings.ReplaceAll(m[1:], ".", string(widePoint)))
	return len(m)
}

// opaque is the length of the string or comment at the start of s, 0 if there is none.
func opaque(s string) int {
	switch {
	case strings.HasPrefix(s, "//"):
		if i := strings.IndexByte(s, '\n'); i >= 0 {
			return i
		}
		return len(s)
	case strings.HasPrefix(s, "/*"):
		if i := strings.Index(s[2:], "*/"); i >= 0 {
			return i + 4
		}
		return len(s)
	case s[0] == '"' || s[0] == '\'' || s[0] == '`':
		return quoted(s)
	}
	return 0
}

func quoted(s string) int {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && s[0] != '`':
			i++
		case s[i] == s[0]:
			return i + 1
		}
	}
	return len(s)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWord(c byte) bool {
	return c == '_' || c == '$' || isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// hiddenDuration reads an identifier that hideDurations made.
func hiddenDuration(identifier string) (time.Duration, bool) {
	r := []rune(identifier)
	if len(r) == 0 || r[0] < wideZero || r[0] > wideZero+9 {
		return 0, false
	}
	r[0] = '0' + r[0] - wideZero
	d, err := time.ParseDuration(strings.ReplaceAll(string(r), string(widePoint), "."))
	return d, err == nil
}

// unhide gives a text that a message quotes its digits back.
func unhide(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= wideZero && r <= wideZero+9:
			return '0' + r - wideZero
		case r == widePoint:
			return '.'
		}
		return r
	}, s)
}
