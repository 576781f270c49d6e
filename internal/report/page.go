package report

import (
	"bytes"
	"strings"

	"github.com/followspan/followspan/internal/diag"
)

// page collects lines of text that fit the settings.
type page struct {
	bytes.Buffer
	settings TextSettings
	style    diag.Style
	glyphs   glyphs
	width    int
}

func newPage(s TextSettings) *page {
	p := &page{settings: s, width: s.width(), glyphs: unicodeGlyphs}
	if s.ASCII {
		p.glyphs = asciiGlyphs
	}
	p.style = diag.Style{ASCII: s.ASCII, Color: s.Color, RuneWidth: cells.RuneWidth}
	return p
}

// glyphs are the signs for which ASCII needs a drawing of its own.
type glyphs struct {
	branch, last, bar, blank string // of a tree
	edge, filled, instant    string // of a timeline
	thin                     string // of a waterfall: a span that is not waited for
	cut                      string // and a time that is left out
	pointer                  string // at a span that a failure speaks of
}

var (
	unicodeGlyphs = glyphs{"├─ ", "└─ ", "│  ", "   ", "│", "█", "◆", "─", "≈", "◀ "}
	asciiGlyphs   = glyphs{"|- ", "`- ", "|  ", "   ", "|", "=", "*", "-", "~", "<- "}
)

// paint is the colour of a piece of text, as an ANSI code.
type paint string

const (
	plain  paint = ""
	bold   paint = "1"
	dim    paint = "2"
	red    paint = "1;31"
	green  paint = "32"
	yellow paint = "1;33"
)

// piece is a part of a line.
type piece struct {
	text  string
	paint paint
}

// plainPiece is the label of a paragraph that has none.
var plainPiece piece

func text(s string) piece             { return piece{text: s} }
func painted(p paint, s string) piece { return piece{s, p} }

// line writes one line and cuts it where it does not fit.
func (p *page) line(indent int, pieces ...piece) {
	left := p.width - indent
	var b strings.Builder
	for _, piece := range pieces {
		if left <= 0 {
			break
		}
		s := p.cut(p.clean(piece.text), left)
		left -= cells.StringWidth(s)
		b.WriteString(p.colored(piece.paint, s))
	}
	if out := strings.TrimRight(b.String(), " "); out != "" {
		p.WriteString(strings.Repeat(" ", indent))
		p.WriteString(out)
	}
	p.WriteByte('\n')
}

func (p *page) blank() { p.WriteByte('\n') }

// paragraph writes text of any length and its own line breaks, with the later
// lines below the first one's text.
func (p *page) paragraph(indent int, label piece, body string) {
	under := indent + p.cells(label.text)
	if under > p.width*2/3 {
		p.line(indent, label)
		label, indent, under = plainPiece, indent+4, indent+4
	}
	for i, s := range p.wrap(body, p.width-under) {
		if i == 0 {
			p.line(indent, label, text(s))
		} else {
			p.line(under, text(s))
		}
	}
}

func (p *page) colored(c paint, s string) string {
	if !p.settings.Color || c == plain || strings.TrimSpace(s) == "" {
		return s
	}
	return "\x1b[" + string(c) + "m" + s + "\x1b[0m"
}

// clean makes text from anywhere safe for one line. It may be applied twice.
func (p *page) clean(s string) string {
	if printable(s) {
		return s
	}
	return strings.ReplaceAll(p.style.Clean(s), "\n", `\n`)
}

// printable reports whether nothing of s needs cleaning, by far the usual case.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// cells is how wide s will be.
func (p *page) cells(s string) int {
	s = p.clean(s)
	if printable(s) {
		return len(s)
	}
	return cells.StringWidth(s)
}

// cut shortens s, which is clean, to at most width cells.
func (p *page) cut(s string, width int) string {
	if p.cells(s) <= width {
		return s
	}
	tail := p.clean("…")
	if width < cells.StringWidth(tail) {
		tail = ""
	}
	return cells.Truncate(s, max(width, 0), tail)
}

// pad cleans s and makes it exactly width cells wide.
func (p *page) pad(s string, width int) string {
	s = p.cut(p.clean(s), width)
	return s + strings.Repeat(" ", max(width-p.cells(s), 0))
}

// padLeft is pad with the text at the right.
func (p *page) padLeft(s string, width int) string {
	s = p.cut(p.clean(s), width)
	return strings.Repeat(" ", max(width-p.cells(s), 0)) + s
}

// wrap breaks s at its line breaks and between words. A word that is too long for
// a line is broken anywhere.
func (p *page) wrap(s string, width int) []string {
	width = max(width, 10)
	var out []string
	for l := range strings.SplitSeq(strings.TrimRight(s, "\n"), "\n") {
		out = append(out, p.wrapLine(l, width)...)
	}
	return out
}

func (p *page) wrapLine(s string, width int) []string {
	s = p.clean(s)
	if p.cells(s) <= width {
		return []string{s}
	}
	var out []string
	now := ""
	for word := range strings.FieldsSeq(s) {
		if now != "" && p.cells(now)+1+p.cells(word) <= width {
			now += " " + word
			continue
		}
		if now != "" {
			out = append(out, now)
		}
		for p.cells(word) > width {
			head := cells.Truncate(word, width, "")
			if head == "" {
				break
			}
			out, word = append(out, head), word[len(head):]
		}
		now = word
	}
	return append(out, now)
}
