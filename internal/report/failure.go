package report

import (
	"strconv"
	"strings"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/internal/diag"
)

// block writes one verdict with its evidence, in the shape of a diagnostic:
//
//	FAIL payment is fast            flow 4bf92f35 · 23 spans · closed: complete
//	  --> checkout.flow.yaml:14:9
//	   |
//	14 |       - all(payment, .duration < 200ms)
//	   |         ^^^ 1 of 3 spans does not satisfy this
func (p *page) block(s scene, v *assertions.Verdict) {
	p.title(s, v, v.Assertion.Name)
	indent := p.place(v)
	if v.Assertion.Because != "" {
		p.paragraph(indent-2, painted(bold, "= because: "), v.Assertion.Because)
	}
	p.evidence(indent, s, v.Explanation())
	if v.By != nil || v.At > 0 {
		p.line(indent-2, painted(dim, "= decided: "+decided(v)+early(v)))
	}
}

func early(v *assertions.Verdict) string {
	if v.Early {
		return ", no later span could change it"
	}
	return ""
}

// title writes the verdict, what it is about and its flow, on two lines if one is
// too short.
func (p *page) title(s scene, v *assertions.Verdict, what string) {
	word, c := p.word(v)
	context := "flow " + v.Assertion.Flow
	if s.exists() {
		context = "flow " + s.flow.ID + " · " + count(s.spans, "span") + " · " + s.closed()
	}
	used := p.cells(word) + 1 + p.cells(what)
	room := p.width - used - p.cells(context)
	title := []piece{painted(c, word), painted(bold, " "+what)}
	if room < 2 {
		p.line(0, title...)
		p.line(3, text(context))
		return
	}
	p.line(0, append(title, text(strings.Repeat(" ", min(room, max(2, 56-used)))+context))...)
}

// place writes where the assertion stands, with why it is not met beside the
// carets, and returns the indent of what belongs below the source.
func (p *page) place(v *assertions.Verdict) (indent int) {
	at, e := v.Assertion.Range, v.Explanation()
	if !e.At.IsZero() {
		at = e.At
	}
	if at.IsZero() || at.IsWhole() {
		if !at.IsZero() {
			p.line(2, text("--> "+at.String()))
		}
		p.paragraph(3, plainPiece, e.Why)
		return 5
	}
	gutter := len(strconv.Itoa(at.Source.Position(at.End).Line))
	p.line(gutter, text("--> "+at.String()))
	p.line(gutter, text(" |"))
	if left := p.source(at, gutter, v); left {
		p.paragraph(gutter+1, plainPiece, "= "+e.Why)
	}
	return gutter + 3
}

// source draws the source lines with carets and values. It reports whether there
// was no room for the reason beside the carets.
func (p *page) source(at diag.Range, gutter int, v *assertions.Verdict) (left bool) {
	room := p.width - gutter - 3
	style := p.style
	style.Columns = room
	mark := diag.Mark{Range: at}
	if end, shown := style.Column(at.Source, at.End); shown && room-end-1 >= 24 {
		beside := room - end - 1
		mark.Label = strings.Join(p.wrap(v.Explanation().Why, beside), "\n")
	}
	under, apart := p.values(at, style, v.Explanation().Values)
	if len(under) > 0 {
		p.WriteString(style.Values(mark, under))
	} else {
		p.WriteString(style.Snippet(mark))
	}
	for _, a := range apart {
		p.paragraph(gutter+3, text(p.clean(a.Text)+" = "), a.Show)
	}
	return mark.Label == "" && v.Explanation().Why != ""
}

// values parts the values into those that can stand under their columns and those
// that stand elsewhere in the file, or on lines that are too long.
func (p *page) values(at diag.Range, style diag.Style, values []assertions.ValueAt) (under []diag.Value, apart []assertions.ValueAt) {
	first := at.Source.Position(at.Start).Line
	last := at.Source.Position(at.End).Line
	for _, v := range values {
		column, shown := style.Column(v.At.Source, v.At.Start)
		if line := v.At.Position().Line; !shown || v.At.Source != at.Source || line < first || line > last {
			apart = append(apart, v)
			continue
		}
		under = append(under, diag.Value{Offset: v.At.Start, Text: p.cut(p.clean(v.Show), max(style.Columns-column-1, 12))})
	}
	return under, apart
}

// more says that so many were left out.
func more(n int) string { return "… and " + number(n) + " more" }
