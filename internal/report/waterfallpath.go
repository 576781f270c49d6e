package report

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/followspan/followspan/trace"
)

// shownShares is how many parts of a critical path are named.
const shownShares = 5

// share is how long a span of one service and name was waited for, in all.
type share struct {
	name  string
	time  time.Duration
	spans int
}

// path says in words where the time of the root went.
func (w *fall) path() {
	total := time.Duration(0)
	of := map[string]*share{}
	counted := map[trace.Node]bool{}
	var shares []*share
	for _, c := range w.stretch {
		span := w.flow.Span(c.Node)
		name := ref(span.Service(), span.Name())
		s := of[name]
		if s == nil {
			s = &share{name: name}
			of[name] = s
			shares = append(shares, s)
		}
		if !counted[c.Node] {
			counted[c.Node] = true
			s.spans++
		}
		s.time += c.To.Sub(c.From)
		total += c.To.Sub(c.From)
	}
	if total <= 0 || len(shares) < 2 {
		return
	}
	slices.SortStableFunc(shares, func(a, b *share) int { return cmp.Compare(b.time, a.time) })
	var words []string
	for i, s := range shares {
		if i == shownShares || s.time <= 0 {
			words = append(words, "…")
			break
		}
		word := fmt.Sprintf("%s %s (%d %%)", s.name, duration(s.time), (100*s.time+total/2)/total)
		if s.spans > 1 {
			word += " in " + count(s.spans, "span")
		}
		words = append(words, word)
	}
	w.blank()
	w.paragraph(0, painted(bold, w.glyphs.filled+" critical path  "), duration(total)+": "+strings.Join(words, ", "))
}

// byStart sorts nodes by the start of their spans.
func byStart(f trace.Flow, nodes iter.Seq[trace.Node]) []trace.Node {
	return slices.SortedFunc(nodes, func(a, b trace.Node) int { return f.Span(a).Compare(f.Span(b)) })
}
