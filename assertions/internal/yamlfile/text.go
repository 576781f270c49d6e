package yamlfile

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/followspan/followspan/internal/diag"
)

const byteOrderMark = "\ufeff"

// checkText refuses what no editor shows, before YAML makes something of it.
func checkText(src *diag.Source, limits Limits) diag.List {
	text := src.Text()
	if len(text) > limits.Bytes {
		return problem(src.Whole(), "file too big", fmt.Sprintf("%d bytes, and a flow file may have %d", len(text), limits.Bytes), "split it into several files")
	}
	if strings.HasPrefix(text, "\xff\xfe") || strings.HasPrefix(text, "\xfe\xff") {
		return problem(src.Whole(), "the file is UTF-16", "flow files are UTF-8", "save it as UTF-8")
	}
	for i, r := range text {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], "\ufffd"):
			return problem(src.Range(i, i+1), "the file is not UTF-8", fmt.Sprintf("the byte 0x%02x is part of no character", text[i]), "save it as UTF-8")
		case r == '\u0085' || r == '\u2028' || r == '\u2029' || string(r) == byteOrderMark && i > 0:
			return problem(src.Range(i, i+utf8.RuneLen(r)), "invisible character", fmt.Sprintf("U+%04X", r),
				"remove it", fmt.Sprintf(`write it as "\u%04x" in double quotes`, r))
		case r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7f || r > 0x7f && r < 0xa0 || r == 0xfffe || r == 0xffff:
			return problem(src.Range(i, i+utf8.RuneLen(r)), "control character", fmt.Sprintf("U+%04X", r), "remove it")
		}
	}
	return nil
}

func problem(r diag.Range, what, label string, try ...string) diag.List {
	return diag.List{{Severity: diag.Error, What: what, Range: r, Label: label, Try: try}}
}

// closingBracket returns the offset behind the bracket that closes the one at start, quotes and comments skipped,
// or the end of the text.
func closingBracket(text string, start int) int {
	depth := 0
	for at := start; at < len(text); at++ {
		switch text[at] {
		case '[', '{':
			depth++
		case ']', '}':
			depth--
			if depth == 0 {
				return at + 1
			}
		case '"', '\'':
			if opensQuote(text[:at]) {
				at = closingQuote(text, at) - 1
			}
		case '#':
			if at > 0 && strings.IndexByte(" \t\r\n", text[at-1]) >= 0 {
				at = indexOrEnd(text, at, "\r\n") - 1
			}
		}
	}
	return len(text)
}

// indexOrEnd returns the offset of the first of the bytes from at on, or the end of the text.
func indexOrEnd(text string, at int, bytes string) int {
	if i := strings.IndexAny(text[at:], bytes); i >= 0 {
		return at + i
	}
	return len(text)
}

// skipBlanks returns the offset of what follows the blanks, line breaks and comments from at on.
func skipBlanks(text string, at int) int {
	for {
		at += blankRun(text, at)
		if at >= len(text) || text[at] != '#' {
			return at
		}
		at = indexOrEnd(text, at, "\r\n")
	}
}

// opensQuote reports whether a quote behind this text starts a scalar rather than being a part of a plain one.
func opensQuote(before string) bool {
	before = strings.TrimRight(before, " \t\r\n")
	return before == "" || strings.IndexByte("[{,:?-", before[len(before)-1]) >= 0
}

// closingQuote returns the offset behind the quote that closes the one at start, or the end of the text.
func closingQuote(text string, start int) int {
	for at := start + 1; at < len(text); at++ {
		switch {
		case text[at] == '\\' && text[start] == '"':
			at++
		case text[at] == text[start] && text[start] == '\'' && strings.HasPrefix(text[at+1:], "'"):
			at++
		case text[at] == text[start]:
			return at + 1
		}
	}
	return len(text)
}
