package yamlfile

import (
	"errors"
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"strings"

	"github.com/followspan/followspan/internal/diag"
)

// explain says in our words what the YAML library did not understand, and where.
func explain(src *diag.Source, err error) diag.Diagnostic {
	var second errSecondDocument
	if errors.As(err, &second) {
		return atLine(src, documentMark(src, int(second)), "several documents in one file", "a second document starts here, and a flow file is one", "move it to its own file")
	}
	line, trouble := parseError(err)
	if anchor, ok := strings.CutPrefix(trouble, "unknown anchor '"); ok {
		return unknownAnchor(src, strings.TrimSuffix(anchor, "' referenced"))
	}
	if needsSearch(trouble) {
		line = firstLineWith(src, trouble, line)
	}
	if d, ok := inspect(src, line, trouble); ok {
		return d
	}
	for _, m := range meanings {
		if strings.HasPrefix(trouble, m.trouble) {
			return atLine(src, line, m.what, m.label, m.try...)
		}
	}
	return atLine(src, line, "this is no YAML", trouble)
}

var lineNumber = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// parseError takes the library's message apart. An error in the first line has no number.
func parseError(err error) (line int, trouble string) {
	text := err.Error()
	m := lineNumber.FindStringSubmatch(text)
	if m == nil {
		return 1, text
	}
	line, _ = strconv.Atoi(m[1])
	return max(line, 1), strings.TrimPrefix(text, m[0])
}

// meanings says what the library's words mean to the author of a flow file.
var meanings = []struct {
	trouble, what, label string
	try                  []string
}{
	{"mapping values are not allowed", `": " in a value`, `YAML takes ": " for the end of a key`, []string{"put the value in a | block, or in quotes"}},
	{"could not find expected ':'", "a line that is neither a key nor a list item", `expected "key: value" or "- item"`,
		[]string{"indent it more than the line before if it continues that line"}},
	{"did not find expected key", "a line that does not fit its surroundings", "its indentation fits no key or list above",
		[]string{"indent the keys of one mapping equally, with spaces"}},
	{"did not find expected '-' indicator", "a list with a line that is no item", `this line belongs to a list, and does not start with "- "`,
		[]string{"indent it more if it continues the item above"}},
	{"did not find expected ',' or ']'", "a list that is not closed", `a "," or the closing "]" is missing from here on`, []string{"put values that hold any of , ? [ ] { } in quotes"}},
	{"did not find expected ',' or '}'", "a mapping that is not closed", `a "," or the closing "}" is missing from here on`, []string{"put values that hold any of , ? [ ] { } in quotes"}},
	{"did not find expected node content", "a value is missing", "nothing stands where a value must be", nil},
	{"did not find expected <document start>", "text after the end of the document", "a flow file is one mapping, and this stands outside of it", nil},
	{"found unexpected end of stream", "a quote that is not closed", "the closing quote of this value is missing", nil},
	{"found unexpected document indicator", "a quote that is not closed", "the closing quote of this value is missing", nil},
	{"found unknown escape character", "unknown escape in double quotes", `in double quotes a backslash starts an escape; this one does not exist`,
		[]string{"use single quotes, or a | block: both leave backslashes alone"}},
	{"did not find expected hexdecimal number", "unfinished escape in double quotes", `\x takes two hexadecimal digits, \u four, \U eight`,
		[]string{"use single quotes, or a | block: both leave backslashes alone"}},
	{"found invalid Unicode character escape code", "an escape that is no character", "no character has this number", nil},
	{"block sequence entries are not allowed", "a list item in the wrong place", `a list starts on its own line, and this "- " follows something else`,
		[]string{"start the list on the next line", "[a, b] is a list in one line"}},
	{"block mapping", "a key in the wrong place", "a key starts on its own line", nil},
	{"mapping keys are not allowed", `a value that starts with "? "`, `YAML takes a leading "? " for a key`, []string{"put the value in a | block"}},
	{"did not find expected comment or line break", "text behind | or >", "the text of a block starts on the next line", []string{"move it to the next line, indented"}},
	{"found an indentation indicator equal to 0", "a block with indentation 0", "0 is no indentation", []string{"leave the number out"}},
	{"found a tab character", "a tab in the indentation", "YAML indents with spaces only", []string{"replace the tab by spaces"}},
	{"found character that cannot start any token", "a character that cannot start a value", "YAML keeps this character for itself", []string{"put the value in quotes or in a | block"}},
	{"exceeded max depth", "nested too deeply", "too many lists and mappings inside each other", nil},
	{"found unknown directive name", "a line that starts with %", "YAML takes it for a directive", []string{"indent it, in quotes"}},
	{"did not find expected alphabetic or numeric character", "a lone & or *", "YAML takes it for an anchor or an alias", []string{"put the value in quotes or in a | block"}},
}

// needsSearch reports whether the library only says where the collection with the trouble starts.
func needsSearch(trouble string) bool {
	return strings.HasPrefix(trouble, "did not find expected") && !strings.Contains(trouble, "comment or line break") && !strings.Contains(trouble, "number")
}

// searchable is the size of file beyond which the library's own line number must do.
const searchable = 256 << 10

// firstLineWith returns the first line at which the file up to there has the trouble already, or the given line
// if that would take too long.
func firstLineWith(src *diag.Source, trouble string, line int) int {
	if len(src.Text()) > searchable {
		return line
	}
	return 1 + sort.Search(src.Lines()-1, func(i int) bool {
		_, end := src.LineBounds(i + 1)
		_, err := decode(src.Text()[:end] + "\n")
		if err == nil {
			return false
		}
		_, found := parseError(err)
		return found == trouble
	})
}

// atLine points at the visible part of a line.
func atLine(src *diag.Source, line int, what, label string, try ...string) diag.Diagnostic {
	line = min(max(line, 1), src.Lines())
	for line > 1 && strings.TrimSpace(src.Line(line)) == "" {
		line--
	}
	start, end := src.LineBounds(line)
	text := src.Text()[start:end]
	start += len(text) - len(strings.TrimLeft(text, " \t"))
	end = max(start, start+len(strings.TrimSpace(text)))
	return diag.Diagnostic{Severity: diag.Error, What: what, Range: src.Range(start, end), Label: label, Try: try}
}

// documentMark is the line with the "---" of the document that starts at the given line.
func documentMark(src *diag.Source, line int) int {
	for n := min(line, src.Lines()); n > 1; n-- {
		if strings.HasPrefix(src.Line(n), "---") {
			return n
		}
	}
	return line
}

func unknownAnchor(src *diag.Source, name string) diag.Diagnostic {
	alias := regexp.MustCompile(`(?m)(?:^|[\s\[{,])(\*` + regexp.QuoteMeta(name) + `)`)
	start, end := 0, 0
	if m := alias.FindStringSubmatchIndex(src.Text()); m != nil {
		start, end = m[2], m[3]
	}
	return diag.Diagnostic{Severity: diag.Error, What: "YAML takes a leading * for an alias", Range: src.Range(start, end),
		Label: fmt.Sprintf("there is no anchor &%s", name), Try: []string{"put the value in quotes or in a | block"}}
}
