// Package yamlfile reads a flow file's YAML and remembers where every byte of every value stands in the file.
//
// [Parse] returns a tree of [Node]; [Node.At] turns a part of a decoded scalar back into a range of the file, whatever
// the style of the scalar. What YAML would damage in silence becomes a diagnostic: cut expressions, tags, keys that
// occur twice. The package knows nothing of the keys of a flow file, does no I/O and never panics on bad input.
package yamlfile

import (
	"strings"

	"github.com/followspan/followspan/internal/diag"
)

// Kind is what a node holds.
type Kind int

// The kinds of nodes. The zero value is not one of them.
const (
	Unknown Kind = iota
	Scalar
	Mapping
	Sequence
)

// Style is how a scalar is written.
type Style int

// The styles of scalars.
const (
	Plain Style = iota
	SingleQuoted
	DoubleQuoted
	Literal // |
	Folded  // >
)

// Type is what YAML takes a plain scalar for. All other scalars are of type String.
type Type int

// The types of scalars.
const (
	String Type = iota
	Null
	Bool
	Int
	Float
)

// Node is one value of the file. An alias is the very node that it stands for, so a tree may share nodes;
// it has no cycles.
type Node struct {
	Kind Kind
	// Range is where to point when the whole node is meant: a scalar with its quotes, a collection in brackets,
	// of a block only its first key or dash.
	Range diag.Range

	// Value is a scalar's decoded text. It is empty for null, whichever way that is written.
	Value string
	Style Style
	Type  Type
	// Tagged: a tag stood before the node and was reported. What is left of its value may be anything.
	Tagged bool

	Items []*Node // of a sequence
	Pairs []Pair  // of a mapping, in order; each key once

	positions positionMap
}

// Pair is one key of a mapping and its value. The key is a scalar.
type Pair struct {
	Key, Value *Node
}

// Lookup returns the pair with the given key.
func (n *Node) Lookup(key string) (Pair, bool) {
	for _, p := range n.Pairs {
		if p.Key.Value == key {
			return p, true
		}
	}
	return Pair{}, false
}

// IsNull reports whether n is an empty value, "null" or "~".
func (n *Node) IsNull() bool { return n.Kind == Scalar && n.Type == Null }

// At returns the range of the file that the bytes from start to end of Value come from.
// A part of an escape or of a folded line break counts as all of it. Offsets outside Value count as its nearest end.
func (n *Node) At(start, end int) diag.Range {
	return n.positions.at(n.Range, start, end)
}

// Cut returns the range of the comment that follows a plain scalar in its line. What looks like a comment to YAML
// may have been meant as a part of the value.
func (n *Node) Cut() (diag.Range, bool) {
	if n.Kind != Scalar || n.Style != Plain {
		return diag.Range{}, false
	}
	source := n.Range.Source
	_, lineEnd := source.LineBounds(source.Position(n.Range.End).Line)
	rest := source.Text()[n.Range.End:lineEnd]
	blanks := len(rest) - len(strings.TrimLeft(rest, " \t"))
	if blanks == 0 || blanks == len(rest) || rest[blanks] != '#' {
		return diag.Range{}, false
	}
	return source.Range(n.Range.End+blanks, lineEnd), true
}

// Comma returns the comma that follows a plain scalar inside brackets. It may have been meant as a part of the value.
func (n *Node) Comma() (diag.Range, bool) {
	if n.Kind != Scalar || n.Style != Plain {
		return diag.Range{}, false
	}
	text := n.Range.Source.Text()
	at := n.Range.End + blankRun(text, n.Range.End)
	if at >= len(text) || text[at] != ',' {
		return diag.Range{}, false
	}
	return n.Range.Source.Range(at, at+1), true
}
