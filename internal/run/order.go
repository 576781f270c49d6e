package run

import (
	"cmp"
	"slices"
	"strings"

	"github.com/followspan/followspan/trace"
)

// inOrder returns the instances by their start: when they began to be received, of
// a recording when they began.
func (r *runner) inOrder() []*judged {
	if r.ordered != nil {
		return r.ordered
	}
	all := make([]*judged, 0, len(r.byRecord))
	for _, j := range r.byRecord {
		if !j.final {
			j.began = began(j.latest)
		}
		all = append(all, j)
	}
	slices.SortFunc(all, func(a, b *judged) int {
		return cmp.Or(cmp.Compare(a.input, b.input), cmp.Compare(a.latest.Started, b.latest.Started),
			cmp.Compare(a.began, b.began), strings.Compare(a.flow, b.flow), strings.Compare(a.latest.ID, b.latest.ID))
	})
	return all
}

// began is the start of the origin, or of the earliest member if there is none.
func began(f trace.Flow) trace.Time {
	if f.IsZero() {
		return 0
	}
	if n, ok := f.Origin(); ok {
		return f.Span(n).Start()
	}
	began := trace.Time(0)
	for i := range f.Len() {
		if start := f.Span(f.Member(i)).Start(); i == 0 || start < began {
			began = start
		}
	}
	return began
}
