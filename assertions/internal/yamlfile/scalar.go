package yamlfile

import (
	"strings"
	"unicode/utf8"
)

// The functions of this file decode a scalar a second time, with positions. They follow the YAML library's own scanner;
// the caller compares the value with the library's and trusts the positions only where both agree. Each returns the
// offset behind the scalar, its closing quote included.

// plain follows value through the text from start on, where each line break was folded. Its end needs no
// knowledge of the surroundings, since the value says where it is.
func (b *builder) plain(text, value string, start int) (end int) {
	at := start
	for len(b.value) < len(value) && at < len(text) {
		blanks := blankRun(text, at)
		breaks := countBreaks(text[at : at+blanks])
		switch {
		case blanks == 0:
			word := wordRun(text[at:min(len(text), at+len(value)-len(b.value))])
			b.verbatim(text[at:at+word], at)
			at += word
			continue
		case breaks == 0:
			b.verbatim(text[at:at+blanks], at)
		case breaks == 1:
			b.whole(" ", at, at+blanks)
		default:
			b.whole(strings.Repeat("\n", breaks-1), at, at+blanks)
		}
		at += blanks
	}
	return at
}

// blankRun is the length of the spaces, tabs and line breaks from at on.
func blankRun(text string, at int) int {
	return len(text[at:]) - len(strings.TrimLeft(text[at:], " \t\r\n"))
}

// wordRun is the length of the text up to the first blank or line break.
func wordRun(text string) int {
	if i := strings.IndexAny(text, " \t\r\n"); i >= 0 {
		return i
	}
	return len(text)
}

// breakAt is the length of the line break at the offset, or 0.
func breakAt(text string, at int) int {
	switch {
	case at >= len(text):
		return 0
	case strings.HasPrefix(text[at:], "\r\n"):
		return 2
	case text[at] == '\r' || text[at] == '\n':
		return 1
	}
	return 0
}

func countBreaks(text string) int {
	return strings.Count(text, "\n") + strings.Count(text, "\r") - strings.Count(text, "\r\n")
}

// quoted decodes a scalar in single or double quotes, the opening one being at start.
func (b *builder) quoted(text string, start int) (end int) {
	quote := text[start]
	at := start + 1
	for at < len(text) {
		switch c := text[at]; {
		case c == '\'' && quote == '\'' && strings.HasPrefix(text[at:], "''"):
			b.whole("'", at, at+2)
			at += 2
		case c == quote:
			return at + 1
		case c == '\\' && quote == '"' && breakAt(text, at+1) > 0:
			at = b.fold(text, at, at+1, true)
		case c == '\\' && quote == '"':
			at = b.escape(text, at)
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			at = b.quotedBlanks(text, at)
		default:
			_, size := utf8.DecodeRuneInString(text[at:])
			b.verbatim(text[at:at+size], at)
			at += size
		}
	}
	return at
}

// quotedBlanks decodes the blanks at the offset, which are a fold if a line break is among them.
func (b *builder) quotedBlanks(text string, at int) int {
	blanks := len(text[at:]) - len(strings.TrimLeft(text[at:], " \t"))
	if breakAt(text, at+blanks) == 0 {
		b.verbatim(text[at:at+blanks], at)
		return at + blanks
	}
	return b.fold(text, at, at+blanks, false)
}

// fold decodes the line breaks from the offset breaks on, and the blanks among and behind them. The first break is
// a space or, if it is escaped or others follow, nothing.
func (b *builder) fold(text string, start, breaks int, isEscaped bool) (end int) {
	end = breaks + blankRun(text, breaks)
	count := countBreaks(text[breaks:end])
	switch {
	case count > 1:
		b.whole(strings.Repeat("\n", count-1), start, end)
	case !isEscaped:
		b.whole(" ", start, end)
	}
	return end
}

// escapes holds what a backslash and one letter mean in double quotes.
var escapes = map[byte]string{
	'0': "\x00", 'a': "\a", 'b': "\b", 't': "\t", '\t': "\t", 'n': "\n", 'v': "\v", 'f': "\f", 'r': "\r", 'e': "\x1b",
	' ': " ", '"': `"`, '\'': "'", '/': "/", '\\': `\`, 'N': "\u0085", '_': "\u00a0", 'L': "\u2028", 'P': "\u2029",
}

// escapeDigits is how many hexadecimal digits follow a backslash and the letter.
var escapeDigits = map[byte]int{'x': 2, 'u': 4, 'U': 8}

func (b *builder) escape(text string, at int) (end int) {
	if at+1 >= len(text) {
		return len(text)
	}
	letter := text[at+1]
	digits := escapeDigits[letter]
	end = min(at+2+digits, len(text))
	if digits == 0 {
		b.whole(escapes[letter], at, end)
		return end
	}
	b.whole(string(hexRune(text[at+2:end])), at, end)
	return end
}

func hexRune(digits string) rune {
	var r rune
	for _, c := range strings.ToLower(digits) {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | (c - '0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | (c - 'a' + 10)
		}
	}
	return r
}
