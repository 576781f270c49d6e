package run

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"sync"
)

const (
	maxLine     = 64 << 10 // of a line that is handed on
	tailLines   = 20
	maxTailLine = 4 << 10
)

// PrefixLines returns a function that writes each line to w behind a prefix,
// with a single Write. It may be called concurrently if w may be written to
// concurrently.
func PrefixLines(w io.Writer, prefix string) func(line string) {
	return func(line string) {
		// Who reads our output may be gone; that is no reason to stop a run.
		_, _ = io.WriteString(w, prefix+line+"\n")
	}
}

// eachLine calls line for every line of r until r ends. A line that is longer
// than maxLine is cut and says so.
func eachLine(r io.Reader, line func(string)) {
	buffer := bufio.NewReaderSize(r, maxLine)
	for {
		part, more, err := buffer.ReadLine()
		if err != nil {
			return
		}
		text, cut := string(part), 0
		for more && err == nil {
			part, more, err = buffer.ReadLine()
			cut += len(part)
		}
		if cut > 0 {
			text += fmt.Sprintf("… (%d bytes more)", cut)
		}
		line(text)
	}
}

// tail remembers the last lines of an output.
type tail struct {
	mu    sync.Mutex
	lines []string
}

// add remembers a line as a terminal would have shown it in the end: without
// what was overwritten after a carriage return.
func (t *tail) add(line string) {
	line = clip(line[strings.LastIndexByte(line, '\r')+1:], maxTailLine)
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.lines) == tailLines {
		copy(t.lines, t.lines[1:])
		t.lines = t.lines[:tailLines-1]
	}
	t.lines = append(t.lines, line)
}

// list returns the lines, oldest first. The slice is the caller's.
func (t *tail) list() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.lines...)
}

// clip returns s in valid UTF-8, and at most about n bytes of it.
func clip(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "") + "…"
	}
	return strings.ToValidUTF8(s, "�")
}
