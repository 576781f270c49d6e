package diag

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
)

// Style says how text is drawn. The zero Style is UTF-8 without colour.
type Style struct {
	// ASCII replaces every rune that is not ASCII, for terminals that are not UTF-8.
	ASCII bool
	// Color adds ANSI colours. They only repeat what the text says.
	Color bool
	// Columns is how much of a long source line is shown, around its carets; 0 means 160.
	Columns int
	// RuneWidth measures runes in terminal cells; nil means the package's [RuneWidth].
	RuneWidth func(rune) int
}

const tabWidth = 4

func (st Style) columns() int {
	if st.Columns > 0 {
		return st.Columns
	}
	return 160
}

func (st Style) runeWidth(r rune) int {
	if st.RuneWidth != nil {
		return st.RuneWidth(r)
	}
	return RuneWidth(r)
}

func (st Style) textWidth(text string) int {
	width := 0
	for _, r := range text {
		width += st.runeWidth(r)
	}
	return width
}

// Clean makes text safe to print: it escapes control runes and those that reorder text, all but line breaks,
// and replaces what the style cannot show. Text from spans must pass through it before it reaches a terminal.
func (st Style) Clean(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n':
			b.WriteByte('\n')
		case unprintable(r):
			fmt.Fprintf(&b, "%s", escaped(r))
		case st.ASCII && r > unicode.MaxASCII:
			b.WriteString(plain(r))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// CleanJSON makes JSON safe for a terminal and leaves what it means: what Clean would
// replace is escaped as JSON does it. What is below 0x20 always is, in JSON.
func CleanJSON(text []byte) []byte {
	hidden := func(r rune) bool { return r >= unicode.MaxASCII && unprintable(r) }
	if !bytes.ContainsFunc(text, hidden) {
		return text
	}
	var b bytes.Buffer
	for _, r := range string(text) {
		if hidden(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.Bytes()
}

// oneLine is Clean for text that must stay on its line.
func (st Style) oneLine(text string) string {
	return strings.ReplaceAll(st.Clean(text), "\n", `\n`)
}

func escaped(r rune) string {
	switch {
	case r == '\t':
		return `\t`
	case r == '\r':
		return `\r`
	case r < 0x100:
		return fmt.Sprintf(`\x%02x`, r)
	}
	return fmt.Sprintf(`\u%04x`, r)
}

// unprintable reports whether r would do something to a terminal other than show itself.
func unprintable(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' || r == '\ufeff'
}

// plain is what stands for r where only ASCII can be shown.
func plain(r rune) string {
	switch r {
	case '→':
		return "->"
	case '←':
		return "<-"
	case '…':
		return "..."
	case '·', '–', '—', '─':
		return "-"
	case '│':
		return "|"
	case '“', '”':
		return `"`
	case '‘', '’':
		return "'"
	case 'µ', 'μ':
		return "u"
	case '×':
		return "x"
	case '≤':
		return "<="
	case '≥':
		return ">="
	case '≠':
		return "!="
	}
	return "?"
}

type paint string

const (
	bold   paint = "1"
	red    paint = "1;31"
	yellow paint = "1;33"
	blue   paint = "1;34"
	cyan   paint = "1;36"
)

func (st Style) paint(p paint, text string) string {
	if !st.Color || text == "" {
		return text
	}
	return "\x1b[" + string(p) + "m" + text + "\x1b[0m"
}

func (s Severity) paint() paint {
	switch s {
	case Error:
		return red
	case Warning:
		return yellow
	}
	return cyan
}
