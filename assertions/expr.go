package assertions

import (
	"unicode/utf8"

	"github.com/followspan/followspan/assertions/internal/yamlfile"
	"github.com/followspan/followspan/internal/diag"
)

// Expr is the source of one expression and the place of each of its bytes in the flow file. It is not compiled.
type Expr struct {
	Text string
	node *yamlfile.Node
}

// IsZero reports whether the expression was not given.
func (e Expr) IsZero() bool { return e.node == nil }

// Range is where the whole expression stands in the file. It is zero for a zero Expr.
func (e Expr) Range() diag.Range {
	if e.node == nil {
		return diag.Range{}
	}
	return e.node.Range
}

// At returns the place of the bytes of Text from start to end.
func (e Expr) At(start, end int) diag.Range {
	if e.node == nil {
		return diag.Range{}
	}
	return e.node.At(start, end)
}

// AtRunes is At for offsets that count runes.
func (e Expr) AtRunes(start, end int) diag.Range {
	return e.At(byteOffset(e.Text, start), byteOffset(e.Text, end))
}

// byteOffset is the offset of the rune with the given number, or the end of text.
func byteOffset(text string, rune int) int {
	at := 0
	for ; rune > 0 && at < len(text); rune-- {
		_, size := utf8.DecodeRuneInString(text[at:])
		at += size
	}
	return at
}
