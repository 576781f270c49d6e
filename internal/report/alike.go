package report

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/followspan/followspan/assertions"
)

// alike parts verdicts into those that are explained one by one and groups that
// have nothing to show but one and the same reason: where an edge stays open,
// every bound of the flow is inconclusive for it, and it is said once.
func (p *page) alike(verdicts []*assertions.Verdict) (groups [][]*assertions.Verdict) {
	for _, v := range verdicts {
		i := slices.IndexFunc(groups, func(g []*assertions.Verdict) bool { return sameReason(g[0], v) })
		if i < 0 || p.settings.Verbose {
			groups = append(groups, []*assertions.Verdict{v})
		} else {
			groups[i] = append(groups[i], v)
		}
	}
	return groups
}

func sameReason(v, w *assertions.Verdict) bool {
	return v.Outcome == assertions.Inconclusive && w.Outcome == v.Outcome && v.Assertion.Severity == w.Assertion.Severity &&
		v.Explanation().Why == w.Explanation().Why && bare(v.Explanation()) && bare(w.Explanation())
}

// bare reports whether there is no more than a reason and what to try.
func bare(e *assertions.Evidence) bool {
	return len(e.Values) == 0 && len(e.Facts) == 0 && len(e.Spans) == 0 && len(e.Timeline) == 0 && len(e.Near) == 0 && len(e.Notes) == 0
}

// together writes verdicts that have the same reason:
//
//	INCONCLUSIVE 3 assertions       flow 4bf92f35 · 23 spans · closed: deadline after 10s
//	   hold for what arrived, but …
//	     checkout.flow.yaml:14  payment is fast
func (p *page) together(s scene, group []*assertions.Verdict) {
	first := group[0]
	p.title(s, first, count(len(group), "assertion"))
	p.paragraph(3, plainPiece, first.Explanation().Why)
	place := 0
	for _, v := range group {
		place = max(place, p.cells(shortPlace(v)))
	}
	for _, v := range group {
		p.line(5, text(p.pad(shortPlace(v), place)+"  "+v.Assertion.Name))
	}
	p.tries(3, first.Explanation().Try)
	p.line(1, painted(dim, "= decided: "+decided(first)))
}

func shortPlace(v *assertions.Verdict) string {
	at := v.Assertion.Range
	if at.IsZero() {
		return ""
	}
	return fmt.Sprintf("%s:%d", filepath.Base(at.Source.Name()), at.Position().Line)
}
