package diag

import (
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"
)

const byteOrderMark = "\ufeff"

// Source is one text that diagnostics point into: a file, or a command-line argument.
//
// A Source never changes, so any number of goroutines may read it.
type Source struct {
	name  string
	text  string
	lines []int // byte offset of the start of each line; a byte order mark belongs to none
}

// NewSource indexes the lines of text. A line ends with "\n", "\r\n" or a lone "\r".
// The name is what diagnostics print before the line number.
func NewSource(name, text string) *Source {
	s := &Source{name: name, text: text, lines: []int{0}}
	if strings.HasPrefix(text, byteOrderMark) {
		s.lines[0] = len(byteOrderMark)
	}
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\r':
			if i+1 < len(text) && text[i+1] == '\n' {
				continue
			}
			s.lines = append(s.lines, i+1)
		case '\n':
			s.lines = append(s.lines, i+1)
		}
	}
	return s
}

// Name returns the name given to [NewSource].
func (s *Source) Name() string { return s.name }

// Text returns the whole text, a byte order mark included.
func (s *Source) Text() string { return s.text }

// Lines returns the number of lines; it is at least 1. A final line break starts one more, empty, line.
func (s *Source) Lines() int { return len(s.lines) }

// Line returns the text of line n, counted from 1, without its line break. It is empty for a line that is not there.
func (s *Source) Line(n int) string {
	start, end := s.LineBounds(n)
	return s.text[start:end]
}

// LineBounds returns the byte offsets of the start and the end of line n, without its line break.
// A line that is not there lies empty at the nearest end of the text.
func (s *Source) LineBounds(n int) (start, end int) {
	switch {
	case n < 1:
		return s.lines[0], s.lines[0]
	case n > len(s.lines):
		return len(s.text), len(s.text)
	}
	start, end = s.lines[n-1], len(s.text)
	if n < len(s.lines) {
		end = s.lines[n]
	}
	for end > start && (s.text[end-1] == '\n' || s.text[end-1] == '\r') {
		end--
	}
	return start, end
}

// Position is a place as people count it: both numbers start at 1, and columns count runes.
type Position struct {
	Line, Column int
}

// String returns "line:column".
func (p Position) String() string { return fmt.Sprintf("%d:%d", p.Line, p.Column) }

// Position converts a byte offset. An offset outside the text counts as the nearest end of it.
func (s *Source) Position(offset int) Position {
	offset = min(max(offset, s.lines[0]), len(s.text))
	line := sort.SearchInts(s.lines, offset+1)
	return Position{line, utf8.RuneCountInString(s.text[s.lines[line-1]:offset]) + 1}
}

// Offset converts a position to a byte offset. A column past the end of its line counts as that end.
func (s *Source) Offset(p Position) int {
	start, end := s.LineBounds(p.Line)
	for column := 1; column < p.Column && start < end; column++ {
		_, size := utf8.DecodeRuneInString(s.text[start:end])
		start += size
	}
	return start
}

// Range returns the range of the bytes from start up to, not including, end.
func (s *Source) Range(start, end int) Range {
	start = min(max(start, 0), len(s.text))
	return Range{Source: s, Start: start, End: min(max(end, start), len(s.text))}
}

// Whole returns the range that means the source as such and no place in it: a file that is missing, or empty, or too big.
func (s *Source) Whole() Range { return Range{Source: s, Start: -1, End: -1} }

// Range is a part of a source. The zero Range is nowhere; a Range with Start == End is a place between two runes.
// Ranges can be compared with ==.
type Range struct {
	Source     *Source
	Start, End int // byte offsets; both are -1 for the source as a whole
}

// IsZero reports whether r is nowhere.
func (r Range) IsZero() bool { return r.Source == nil }

// IsWhole reports whether r means its source as such; see [Source.Whole].
func (r Range) IsWhole() bool { return r.Source != nil && r.Start < 0 }

// Text returns the text that r covers.
func (r Range) Text() string {
	if r.IsZero() || r.IsWhole() {
		return ""
	}
	return r.Source.text[r.Start:r.End]
}

// Position returns where r starts; it is zero where r has no place.
func (r Range) Position() Position {
	if r.IsZero() || r.IsWhole() {
		return Position{}
	}
	return r.Source.Position(r.Start)
}

// String returns "name:line:column", "name" for a whole source and "" for the zero Range.
func (r Range) String() string {
	switch {
	case r.IsZero():
		return ""
	case r.IsWhole():
		return r.Source.name
	}
	return r.Source.name + ":" + r.Position().String()
}

// To returns the range from the start of r to the end of other, which must be of the same source.
func (r Range) To(other Range) Range {
	return Range{Source: r.Source, Start: r.Start, End: max(r.End, other.End)}
}
