package launch

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestLineWriter(t *testing.T) {
	var lines []string
	w := &lineWriter{emit: func(line string) { lines = append(lines, line) }}
	for _, part := range []string{"one\ntw", "o", "\n\nthree"} {
		if n, err := w.Write([]byte(part)); n != len(part) || err != nil {
			t.Errorf("Write(%q): got %d, %v", part, n, err)
		}
	}
	if want := []string{"one", "two", ""}; !slices.Equal(lines, want) {
		t.Errorf("lines: got %q, want %q", lines, want)
	}
}

func TestTailKeepsTheLastLines(t *testing.T) {
	var output tail
	for i := range tailLines + 5 {
		output.add(fmt.Sprint(i))
	}
	lines := strings.Split(output.text(), "\n")
	if len(lines) != tailLines || lines[0] != "5" || lines[tailLines-1] != "24" {
		t.Errorf("got %q, want 5 to 24", lines)
	}
}
