package report

import (
	"io"
	"strconv"
	"strings"
	"time"
)

// Progress is the line that a terminal shows while a run waits. It is rewritten in
// place, so nothing else may write to the terminal between Update and Clear. It has
// no clock and is used by one goroutine at a time.
type Progress struct {
	w     io.Writer
	page  *page
	shown string
}

// Waiting is what a run waits for.
type Waiting struct {
	Elapsed time.Duration
	Spans   int
	// Awaiting names what could still decide something, the most telling first.
	Awaiting []string
}

// NewProgress returns a Progress that writes to w, which should be a terminal.
func NewProgress(w io.Writer, s TextSettings) *Progress {
	p := &Progress{w: w, page: newPage(s)}
	if s.Width > 0 {
		p.page.width = s.Width // however narrow, since a line that wraps cannot be overwritten
	}
	p.page.width-- // A full line would wrap on some terminals.
	return p
}

// Update shows the state:
//
//	waiting 1.2s · 14 spans · awaiting: email ~ process orders, +2
func (p *Progress) Update(s Waiting) error {
	line := "waiting " + tenths(s.Elapsed) + " · " + count(s.Spans, "span")
	line = p.page.clean(line)
	if len(s.Awaiting) > 0 {
		line += p.awaiting(s.Awaiting, p.page.width-p.page.cells(line))
	}
	return p.show(p.page.cut(line, p.page.width))
}

// Reading is how far the reading of files has come.
type Reading struct {
	Bytes, Of int64 // Of is 0 if nobody knows
	Spans     int
}

// Read shows the state:
//
//	reading 12.5MiB of 200.0MiB · 14,000 spans
func (p *Progress) Read(s Reading) error {
	line := "reading " + mebibytes(s.Bytes)
	if s.Of > 0 {
		line += " of " + mebibytes(s.Of)
	}
	return p.show(p.page.cut(p.page.clean(line+" · "+count(s.Spans, "span")), p.page.width))
}

func mebibytes(n int64) string { return strconv.FormatFloat(float64(n)/(1<<20), 'f', 1, 64) + "MiB" }

// awaiting names as much as fits and counts the rest.
func (p *Progress) awaiting(names []string, room int) string {
	s := p.page.clean(" · awaiting: ")
	for i, name := range names {
		name = p.page.clean(name)
		if i > 0 {
			name = ", " + name
		}
		rest := ""
		if left := len(names) - i - 1; left > 0 {
			rest = ", +" + number(left)
		}
		if i > 0 && p.page.cells(s+name+rest) > room {
			return s + ", +" + number(len(names)-i)
		}
		s += p.page.cut(name, max(room-p.page.cells(s+rest), 8))
	}
	return s
}

// Clear removes the line.
func (p *Progress) Clear() error {
	if p.shown == "" {
		return nil
	}
	_, err := io.WriteString(p.w, "\r"+strings.Repeat(" ", p.page.cells(p.shown))+"\r")
	p.shown = ""
	return err
}

// show overwrites the line. It writes spaces rather than a control sequence, which
// not every terminal knows.
func (p *Progress) show(line string) error {
	if line == p.shown {
		return nil
	}
	rest := max(p.page.cells(p.shown)-p.page.cells(line), 0)
	p.shown = line
	_, err := io.WriteString(p.w, "\r"+line+strings.Repeat(" ", rest))
	return err
}

// tenths is a duration that ticks ten times a second.
func tenths(d time.Duration) string {
	if d < time.Minute {
		return strconv.FormatFloat(d.Truncate(100*time.Millisecond).Seconds(), 'f', 1, 64) + "s"
	}
	return d.Truncate(time.Second).String()
}
