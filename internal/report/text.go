package report

import (
	"io"
	"strings"

	"github.com/followspan/followspan/internal/run"
)

// Text writes the report of a run for people: first one line for each assertion,
// then warnings and the end of a command that complained, then for each flow in
// which something failed its tree and the failures with their evidence, then what
// kept the run from taking place, and a summary as the very last line, so that the
// end of the text is what matters most. It keeps nothing of r.
func Text(w io.Writer, r *run.Result, s TextSettings) error {
	p := newPage(s)
	p.files(r)
	p.warnings(r)
	p.steps(r, complained)
	p.details(r)
	p.arrived(r)
	p.steps(r, broken)
	p.summary(r)
	_, err := w.Write(p.Bytes())
	return err
}

// warnings writes what a person should know though nothing failed.
func (p *page) warnings(r *run.Result) {
	style := p.style
	style.Columns = max(p.width-8, 20)
	for _, d := range r.Warnings {
		p.blank()
		p.WriteString(style.Render(d))
	}
	for _, l := range r.Received.Refused {
		p.blank()
		p.paragraph(0, painted(yellow, "warning: "), "data was not taken: "+lossWords(l))
	}
	p.unjoined(r.Received.Unjoined)
}

// unjoined says which spans belong to no flow: what a flow misses may be among them.
func (p *page) unjoined(services []run.ServiceCount) {
	var words []string
	total := 0
	for i, s := range services {
		total += s.Spans
		if i < shownServices || p.settings.Verbose {
			words = append(words, number(s.Spans)+" of "+serviceName(s.Service))
		}
	}
	if total == 0 {
		return
	}
	if more := len(services) - len(words); more > 0 {
		words = append(words, "those of "+count(more, "more service"))
	}
	p.blank()
	p.paragraph(0, painted(dim, "in no flow: "), count(total, "span")+": "+strings.Join(words, ", "))
}
