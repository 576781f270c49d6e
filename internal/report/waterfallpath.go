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

// shownShares is how many parts of a critical path are named, and shownName how many
// cells of each name are shown.
const (
	shownShares = 5
	shownName   = 60
)

// share is how long a span of one service and name was waited for, in all.
type share struct {
	name  string
	time  time.Duration
	spans int
}

// shares parts the critical path, the longest first, and adds it up.
func (w *fall) shares() (shares []*share, total time.Duration) {
	byName := map[string]*share{}
	counted := map[trace.Node]bool{}
	for _, c := range w.stretch {
		if c.To <= c.From {
			continue
		}
		span := w.flow.Span(c.Node)
		name := ref(span.Service(), shortRPC(span.Name()))
		s := byName[name]
		if s == nil {
			s = &share{name: name}
			byName[name] = s
			shares = append(shares, s)
		}
		s.spans += boolInt(!counted[c.Node])
		counted[c.Node] = true
		s.time += c.To.Sub(c.From)
		total += c.To.Sub(c.From)
	}
	slices.SortStableFunc(shares, func(a, b *share) int { return cmp.Compare(b.time, a.time) })
	return shares, total
}

// path says what the signs of the bars mean, and in words where the time of the
// root went.
func (w *fall) path() {
	w.legend()
	shares, total := w.shares()
	if len(shares) < 2 {
		return
	}
	var words []string
	for i, s := range shares {
		if i == shownShares && len(shares) > shownShares+1 {
			words = append(words, "and "+number(len(shares)-i)+" more")
			break
		}
		word := fmt.Sprintf("%s %s (%d%%)", w.cut(w.clean(s.name), shownName), duration(s.time), (100*s.time+total/2)/total)
		if s.spans > 1 {
			word += " in " + count(s.spans, "span")
		}
		words = append(words, word)
	}
	w.paragraph(0, painted(bold, "critical path  "), duration(total)+": "+strings.Join(words, ", "))
}

// legend names the signs that were drawn, unless all are bars that say nothing new.
func (w *fall) legend() {
	var pieces []piece
	for _, sign := range []struct{ glyph, means string }{
		{w.glyphs.filled, "on the critical path"},
		{w.glyphs.thin, "off it"},
		{w.glyphs.instant, "an instant"},
		{w.glyphs.cut, duration(w.axis.cut.to.Sub(w.axis.cut.from)) + " in which nothing began or ended, left out"},
	} {
		if w.drawn[sign.glyph] {
			pieces = append(pieces, text(sign.glyph+" "), painted(dim, sign.means))
		}
	}
	if len(pieces) > 2 || w.drawn[w.glyphs.instant] {
		w.blank()
		w.flowing(pieces)
	}
}

// byStart sorts nodes by the start of their spans.
func byStart(f trace.Flow, nodes iter.Seq[trace.Node]) []trace.Node {
	return slices.SortedFunc(nodes, func(a, b trace.Node) int { return f.Span(a).Compare(f.Span(b)) })
}
