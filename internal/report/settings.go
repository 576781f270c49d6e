package report

import (
	"github.com/mattn/go-runewidth"

	"github.com/followspan/followspan/trace"
)

// TextSettings say for what kind of terminal a text is. The zero value is a text
// of 100 cells a line, in UTF-8 and without colour.
type TextSettings struct {
	// Color adds ANSI colours. They only repeat what the text says.
	Color bool
	// ASCII writes no rune beyond ASCII, for terminals that are not UTF-8.
	ASCII bool
	// Width is how many cells a line has; 0 means 100. Less than 40 counts as 40.
	Width int
	// Digits is how many digits of trace ids lists show; 0 means 8.
	Digits int
	// Verbose leaves nothing out: every tree, every span of it, every instance.
	Verbose bool
	// Strict says that failed assertions of severity warn fail the run.
	Strict bool
}

const (
	defaultWidth = 100
	leastWidth   = 40
)

func (s TextSettings) traceID(id trace.TraceID) string {
	if s.Digits == 0 {
		return id.Short()
	}
	return id.Digits(s.Digits)
}

func (s TextSettings) width() int {
	if s.Width == 0 {
		return defaultWidth
	}
	return max(s.Width, leastWidth)
}

// cells measures text. It does not ask the environment, so that one run reads the
// same everywhere.
var cells = &runewidth.Condition{StrictEmojiNeutral: true}
