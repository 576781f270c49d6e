package yamlfile

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/followspan/followspan/internal/diag"
)

// entry is one line of the file, seen as "- key: value".
type entry struct {
	source *diag.Source
	lead   string // "- " and "key: ", without the indentation
	start  int    // offset of the value
	value  string // up to the end of the line
}

var leadPattern = regexp.MustCompile(`^(?:- +)*(?:[\w.\-]+: +)?`)

func readEntry(src *diag.Source, line int) entry {
	start, end := src.LineBounds(line)
	text := src.Text()[start:end]
	body := strings.TrimLeft(text, " \t")
	lead := leadPattern.FindString(body)
	return entry{src, lead, end - len(body) + len(lead), strings.TrimRight(body[len(lead):], " \t")}
}

// inspect looks in a line that YAML did not understand for what usually goes wrong with expressions.
func inspect(src *diag.Source, line int, trouble string) (diag.Diagnostic, bool) {
	lineStart, _ := src.LineBounds(line)
	e := readEntry(src, line)
	if tab := strings.IndexByte(src.Text()[lineStart:e.start-len(e.lead)], '\t'); tab >= 0 {
		return e.says(lineStart+tab, 1, "a tab in the indentation", "YAML indents with spaces only", "replace the tab by spaces"), true
	}
	for _, look := range []func(entry, string) (diag.Diagnostic, bool){entry.badEscape, entry.tag, entry.leading, entry.unclosed,
		entry.afterClosing, entry.comment, entry.colon, entry.word} {
		if d, ok := look(e, trouble); ok {
			return d, true
		}
	}
	return diag.Diagnostic{}, false
}

func (e entry) says(start, size int, what, label string, try ...string) diag.Diagnostic {
	return diag.Diagnostic{Severity: diag.Error, What: what, Range: e.source.Range(start, start+size), Label: label, Try: try}
}

// asBlock is the line with its value in a | block.
func (e entry) asBlock() string {
	indent := strings.Repeat(" ", len(e.lead)-len(strings.TrimLeft(e.lead, "- "))+2)
	return e.lead + "|\n" + indent + e.value
}

func (e entry) badEscape(trouble string) (diag.Diagnostic, bool) {
	if !strings.HasPrefix(trouble, "found unknown escape") {
		return diag.Diagnostic{}, false
	}
	for at := 0; at+1 < len(e.value); at++ {
		if e.value[at] != '\\' {
			continue
		}
		if letter := e.value[at+1]; escapes[letter] == "" && escapeDigits[letter] == 0 {
			return e.says(e.start+at, 2, "unknown escape in double quotes", "in double quotes a backslash starts an escape, and this one does not exist",
				"use single quotes, or a | block: both leave backslashes alone"), true
		}
		at++
	}
	return diag.Diagnostic{}, false
}

var tagPattern = regexp.MustCompile(`(?:^|[\s\[{,])(![^\s,\]}]*)`)

// tag finds an exclamation mark at the start of a value inside brackets.
func (e entry) tag(trouble string) (diag.Diagnostic, bool) {
	if !tagTroubles[trouble] {
		return diag.Diagnostic{}, false
	}
	m := tagPattern.FindStringSubmatchIndex(e.value)
	if m == nil {
		return diag.Diagnostic{}, false
	}
	return negation(e.source.Range(e.start+m[2], e.start+m[3])), true
}

// tagTroubles are the library's words for a tag that is none.
var tagTroubles = map[string]bool{
	"did not find expected whitespace or line break": true, "did not find expected tag URI": true, "did not find expected '!'": true,
	"did not find the expected '>'": true, "found undefined tag handle": true, "did not find URI escaped octet": true,
}

// unclosed finds a quote or bracket that is opened in this line and not closed, and text behind | or >.
func (e entry) unclosed(trouble string) (diag.Diagnostic, bool) {
	const label = "this is opened and not closed, or a comma is missing behind it"
	quoteExpression := "put an expression that holds any of , ? [ ] { } in quotes, or on a line of its own"
	switch {
	case e.value == "":
	case strings.HasPrefix(trouble, "found unexpected end of stream") && strings.IndexByte(`"'`, e.value[0]) >= 0:
		return e.says(e.start, 1, "a quote that is not closed", "the closing quote of this value is missing"), true
	case strings.HasPrefix(trouble, "did not find expected comment or line break") && strings.IndexByte("|>", e.value[0]) >= 0:
		rest := strings.TrimLeft(e.value[1:], " \t+-0123456789")
		return e.says(e.start+len(e.value)-len(rest), len(rest), fmt.Sprintf("text behind %c", e.value[0]), "the text of a block starts on the next line",
			e.lead+e.value[:1]+"\n  "+rest), true
	case trouble == "did not find expected ',' or ']'" && strings.Contains(e.value, "["):
		return e.says(e.start+strings.LastIndexByte(e.value, '['), 1, "a list that is not closed", label, quoteExpression), true
	case trouble == "did not find expected ',' or '}'" && strings.Contains(e.value, "{"):
		return e.says(e.start+strings.LastIndexByte(e.value, '{'), 1, "a mapping that is not closed", label, quoteExpression), true
	}
	return diag.Diagnostic{}, false
}

var wordPattern = regexp.MustCompile(`^[\w.-]+$`)

// word finds a key without its colon.
func (e entry) word(trouble string) (diag.Diagnostic, bool) {
	if !strings.HasPrefix(trouble, "could not find expected ':'") || e.lead != "" || !wordPattern.MatchString(e.value) {
		return diag.Diagnostic{}, false
	}
	return e.says(e.start, len(e.value), "a line that is neither a key nor a list item", `expected "key: value" or "- item"`, e.value+":", "- "+e.value), true
}

// leading finds a value that starts with a character which YAML keeps for itself.
func (e entry) leading(string) (diag.Diagnostic, bool) {
	if e.value == "" {
		return diag.Diagnostic{}, false
	}
	switch first := e.value[0]; first {
	case '!':
		return negation(e.source.Range(e.start, e.start+len(e.value))), true
	case '*':
		return e.says(e.start, 1, "YAML takes a leading * for an alias", "the value cannot start with it", e.asBlock()), true
	case '&':
		return e.says(e.start, 1, "YAML takes a leading & for an anchor", "the value cannot start with it", e.asBlock()), true
	case '@', '`', '%':
		return e.says(e.start, 1, fmt.Sprintf("a value cannot start with %c", first), "YAML keeps this character for itself", e.asBlock()), true
	}
	return diag.Diagnostic{}, false
}

// afterClosing finds text behind a quote or bracket with which the value, as YAML sees it, has ended.
func (e entry) afterClosing(string) (diag.Diagnostic, bool) {
	if e.value == "" {
		return diag.Diagnostic{}, false
	}
	var end int
	switch e.value[0] {
	case '"', '\'':
		end = closingQuote(e.value, 0)
	case '[', '{':
		end = closingBracket(e.value, 0)
	default:
		return diag.Diagnostic{}, false
	}
	rest := strings.TrimLeft(e.value[end:], " \t")
	if rest == "" || rest[0] == '#' {
		return diag.Diagnostic{}, false
	}
	return e.says(e.start+len(e.value)-len(rest), len(rest), fmt.Sprintf("text after the closing %c", e.value[end-1]),
		fmt.Sprintf("a value that starts with %c ends where that is closed", e.value[0]), e.asBlock()), true
}

// comment finds a value that YAML cut at " #" although it goes on in the next line.
func (e entry) comment(trouble string) (diag.Diagnostic, bool) {
	at := strings.Index(e.value, " #")
	if at < 0 || !strings.HasPrefix(trouble, "could not find expected ':'") {
		return diag.Diagnostic{}, false
	}
	return e.says(e.start+at+1, len(e.value)-at-1, `YAML takes " #" for the start of a comment`, "the value would end before it",
		"put the value in a | block", "in an expression write it rather than #"), true
}

// colon finds ": " inside a value, which is most often the conditional of an expression.
func (e entry) colon(trouble string) (diag.Diagnostic, bool) {
	at := strings.Index(e.value+" ", ": ")
	if at < 0 || !strings.HasPrefix(trouble, "mapping values are not allowed") {
		return diag.Diagnostic{}, false
	}
	if strings.Contains(e.value[:at], " ? ") {
		return e.says(e.start+at, 1, `YAML takes the ": " of "a ? b : c" for the end of a key`, "the value would end before it", e.asBlock()), true
	}
	return e.says(e.start+at, 1, `": " in a value`, "YAML takes it for the end of a key", e.asBlock()), true
}
