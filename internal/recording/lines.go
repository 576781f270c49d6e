package recording

import (
	"bufio"
	"bytes"
	"io"
)

// lines hands out a text of JSON line by line if each line is a value of its own,
// else as a whole: whoever reads until io.EOF has read one line, or everything. It
// holds no line in memory.
type lines struct {
	r       *bufio.Reader
	layout  layout
	balance balance
	number  int   // of the line, counted from 1
	start   int64 // offset of the line
	given   int64 // bytes of the line that were handed out
	ended   bool  // the line has been handed out
	failed  bool  // nothing more can be read, and whoever reads was told why
}

// layout is how the values of a text are parted.
type layout uint8

const (
	undecided layout = iota // still in the first line that is not blank
	byLine
	whole
)

func newLines(r *bufio.Reader) *lines { return &lines{r: r} }

// next goes to the next line and reports false at the end of the text.
func (l *lines) next() bool {
	if l.number > 0 && !l.ended {
		l.rest()
	}
	l.start, l.given, l.ended = l.start+l.given, 0, false
	l.number++
	_, err := l.r.Peek(1)
	return err != io.EOF && !l.failed
}

// rest skips what was not read of the line.
func (l *lines) rest() {
	if l.layout == undecided {
		l.layout = byLine // what is wrong in the first line says nothing about the others
	}
	_, _ = io.Copy(io.Discard, l) // an error shows again
}

// Read hands out more of the line.
func (l *lines) Read(p []byte) (int, error) {
	if l.ended || len(p) == 0 {
		return 0, io.EOF
	}
	if _, err := l.r.Peek(1); err != nil {
		l.failed = err != io.EOF
		return 0, err
	}
	chunk, _ := l.r.Peek(min(len(p), l.r.Buffered()))
	n := copy(p, chunk[:l.take(chunk)])
	_, err := l.r.Discard(n)
	l.given += int64(n)
	return n, err
}

// take is how much of the chunk belongs to the line.
func (l *lines) take(chunk []byte) int {
	if l.layout == whole {
		return len(chunk)
	}
	n := bytes.IndexByte(chunk, '\n') + 1
	if l.layout == undecided {
		return l.decide(chunk, n)
	}
	if n > 0 {
		l.ended = true
		return n
	}
	return len(chunk)
}

// decide looks at whether the first line, which ends at n unless that is 0, is a
// value of its own.
func (l *lines) decide(chunk []byte, n int) int {
	if n == 0 {
		l.balance.add(chunk)
		return len(chunk)
	}
	l.balance.add(chunk[:n])
	switch {
	case !l.balance.begun: // a blank line
		return n
	case l.balance.depth > 0 && !l.balance.quoted:
		l.layout = whole
		return n
	}
	l.layout, l.ended = byLine, true
	return n
}

// balance counts the brackets of JSON that are open.
type balance struct {
	depth   int
	begun   bool // something but white space was there
	quoted  bool // within a string
	escaped bool // behind a backslash
}

func (b *balance) add(text []byte) {
	for _, c := range text {
		switch {
		case b.escaped:
			b.escaped = false
		case b.quoted:
			b.quoted, b.escaped = c != '"', c == '\\'
		case c == '"':
			b.quoted, b.begun = true, true
		case c == '{' || c == '[':
			b.depth++
			b.begun = true
		case c == '}' || c == ']':
			b.depth--
		}
	}
}
