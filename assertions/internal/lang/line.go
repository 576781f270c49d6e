package lang

import "strings"

// OneLine writes a source on one line that means the same: without comments, and with white space as single blanks, but
// for that in strings.
func OneLine(source string) string {
	var b strings.Builder
	blank := false
	for i := 0; i < len(source); {
		n := max(opaque(source[i:]), 1)
		switch c := source[i]; {
		case c == '/' && n > 1, c == ' ', c == '\t', c == '\n', c == '\r':
			blank = b.Len() > 0
		default:
			if blank {
				b.WriteByte(' ')
			}
			blank = false
			b.WriteString(source[i : i+n])
		}
		i += n
	}
	return b.String()
}
