package yamlfile

import "strings"

// block decodes a literal or folded scalar whose | or > is at start. The value that the YAML library found tells
// how deep the text is indented where an indentation indicator leaves that to the surroundings.
func (b *builder) block(text, value string, start int) (end int) {
	h := readHeader(text, start)
	s := blockScan{b: b, text: text, at: h.end, indent: h.indentOf(text, value), folded: text[start] == '>'}
	s.lines()
	if h.chomping != '-' {
		s.flush(s.first)
	}
	if h.chomping == '+' {
		s.flush(s.more...)
	}
	return s.end
}

// header is the first line of a block scalar.
type header struct {
	chomping    byte // '-', '+' or 0
	hasIndicate bool
	end         int // offset of the first line of text
}

func readHeader(text string, start int) header {
	var h header
	at := start + 1
	for ; at < len(text) && strings.IndexByte("+-0123456789", text[at]) >= 0; at++ {
		if text[at] == '+' || text[at] == '-' {
			h.chomping = text[at]
		} else {
			h.hasIndicate = true
		}
	}
	for at < len(text) && breakAt(text, at) == 0 {
		at++
	}
	h.end = at + breakAt(text, at)
	return h
}

// indentOf is the number of spaces before the text of each line: those of the first line with text, less those
// which belong to the value.
func (h header) indentOf(text, value string) int {
	indent := firstIndent(text[h.end:])
	if h.hasIndicate {
		indent -= firstIndent(value)
	}
	return max(indent, 0)
}

// firstIndent counts the spaces at the start of the first line that holds anything else.
func firstIndent(text string) int {
	for len(text) > 0 {
		trimmed := strings.TrimLeft(text, " ")
		size := breakAt(trimmed, 0)
		if size == 0 {
			return len(text) - len(trimmed)
		}
		text = trimmed[size:]
	}
	return 0
}

// place is a line break of the file.
type place struct{ start, end int }

// blockScan goes through the lines of a block scalar. Between two lines of text wait the break that ended the first and
// those of the empty lines after it, since only what follows says what they mean.
type blockScan struct {
	b        *builder
	text     string
	at, end  int
	indent   int
	folded   bool
	first    place
	more     []place
	indented bool // the last line of text started with a blank
	started  bool
}

func (s *blockScan) lines() {
	s.end = s.at
	for s.emptyLines(); s.isText(); s.emptyLines() {
		startsBlank := s.text[s.at] == ' ' || s.text[s.at] == '\t'
		s.join(startsBlank)
		s.indented, s.started = startsBlank, true
		s.line()
	}
}

// emptyLines collects the breaks of lines with no more than the indentation, and goes to the text of the next line.
func (s *blockScan) emptyLines() {
	for {
		spaces := 0
		for spaces < s.indent && strings.HasPrefix(s.text[s.at+spaces:], " ") {
			spaces++
		}
		size := breakAt(s.text, s.at+spaces)
		if size == 0 {
			s.at += spaces
			return
		}
		s.more = append(s.more, place{s.at + spaces, s.at + spaces + size})
		s.at += spaces + size
	}
}

// isText reports whether a line of the scalar starts here, its indentation already read.
func (s *blockScan) isText() bool {
	if s.at >= len(s.text) {
		return false
	}
	lineStart := strings.LastIndexAny(s.text[:s.at], "\r\n") + 1
	return s.at-lineStart == s.indent && (s.indent > 0 || !isDocumentMark(s.text[s.at:]))
}

func isDocumentMark(text string) bool {
	return strings.HasPrefix(text, "---") || strings.HasPrefix(text, "...")
}

// join writes what waited between the last line of text and this one. A break between two lines without additional
// indentation is folded to a space, or to nothing if empty lines follow it.
func (s *blockScan) join(startsBlank bool) {
	if s.folded && s.started && !s.indented && !startsBlank {
		if len(s.more) == 0 {
			s.b.whole(" ", s.first.start, s.at)
		}
	} else {
		s.flush(s.first)
	}
	s.flush(s.more...)
	s.more = nil
}

func (s *blockScan) flush(breaks ...place) {
	for _, p := range breaks {
		if p.end > p.start {
			s.b.whole("\n", p.start, p.end)
		}
	}
}

// line copies the rest of a line and keeps its break for later.
func (s *blockScan) line() {
	size := indexOrEnd(s.text, s.at, "\r\n") - s.at
	s.b.verbatim(s.text[s.at:s.at+size], s.at)
	s.at += size
	s.end = s.at
	s.first = place{s.at, s.at + breakAt(s.text, s.at)}
	s.at = s.first.end
}
