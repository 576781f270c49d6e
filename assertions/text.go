package assertions

import (
	"fmt"
	"strconv"
	"strings"
)

func itoa(n int) string { return strconv.Itoa(n) }

// oneLine joins the lines of a source and its runs of white space.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// counted is a number with its noun.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// String says how often in the words of the file.
func (c Count) String() string {
	switch {
	case c.Min == c.Max:
		return "exactly " + itoa(c.Min)
	case c.Max < 0 && c.Min <= 0:
		return "any"
	case c.Max < 0:
		return "at least " + itoa(c.Min)
	case c.Min <= 0:
		return "at most " + itoa(c.Max)
	}
	return fmt.Sprintf("%d to %d", c.Min, c.Max)
}

// enumerate joins words as a sentence does.
func enumerate(words []string, conjunction string) string {
	switch len(words) {
	case 0:
		return ""
	case 1:
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " " + conjunction + " " + words[len(words)-1]
}
