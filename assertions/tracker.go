package assertions

import (
	"slices"

	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/trace"
)

// tracker is a set of one instance as it fills: each span is asked once, and
// again only while the answer hangs on an edge that may still come.
type tracker struct {
	plan    *setPlan
	members []trace.Node // for certain, in the order in which they joined
	sorted  []trace.Node // the members by their start, once none can come any more
	pending []trace.Node // asked, and not decided
	// failed is the first error of a span that could not be asked.
	failed *lang.Doubt
	seen   int // of the base's members
	// retry is the number of received spans at which the pending ones are worth
	// another question.
	retry   int
	changed bool // since the last evaluation
	stale   bool // of a late set: it is not up to date
	// version changes when members may have left; of is that of the base when its
	// members were asked.
	version, of int
}

// take asks about the members of the base that are new.
func (t *tracker) take(f *lang.Frame, base []trace.Node) {
	news := base[t.seen:]
	t.seen = len(base)
	if t.plan.service != "" {
		news = slices.DeleteFunc(slices.Clone(news), func(n trace.Node) bool {
			if f.View.Evicted(n) {
				t.lose()
			}
			return f.View.Span(n).Service() != t.plan.service
		})
	}
	t.ask(f, news)
}

// ask asks about spans, which are of the selector's service if it names one.
func (t *tracker) ask(f *lang.Frame, nodes []trace.Node) {
	question := t.plan.selector
	if t.plan.service != "" {
		question = t.plan.ofService
	}
	if question == nil && len(nodes) > 0 {
		t.members, t.changed = append(t.members, nodes...), true
		return
	}
	if len(nodes) > 0 {
		question.OfSpans(f, nodes, t.answer)
	}
}

func (t *tracker) answer(n trace.Node, v lang.Value) {
	switch {
	case v.Kind() == lang.Unknown && v.Doubt().Why == lang.Pending:
		t.pending = append(t.pending, n)
	case v.Kind() == lang.Unknown:
		if t.failed == nil {
			t.failed, t.changed = v.Doubt(), true
		}
	case v.True() != t.plan.inverted:
		t.members, t.changed = append(t.members, n), true
	}
}

// lose notes that a span was evicted before it could be asked, or put in its place.
func (t *tracker) lose() {
	if t.failed == nil {
		t.failed, t.changed = lang.MadeRoom(), true
	}
}

// askAgain asks about the pending members, now that more is known.
func (t *tracker) askAgain(f *lang.Frame) {
	again := t.pending
	t.pending = nil
	t.ask(f, again)
}

// wouldJoin are the pending members that the set would have if no edge came any more.
func (t *tracker) wouldJoin(f *lang.Frame) (out []trace.Node) {
	for _, n := range t.pending {
		if v := t.plan.selector.Asked(f, n); v.Kind() != lang.Unknown && v.True() != t.plan.inverted {
			out = append(out, n)
		}
	}
	return out
}

// forget starts again.
func (t *tracker) forget() {
	t.members, t.sorted, t.pending, t.failed, t.seen, t.changed = nil, nil, nil, nil, 0, true
	t.version++
}

// patience is how many more spans must arrive, in proportion to those that were
// received, before many pending spans are asked again. It keeps the work linear.
const patience = 8

// due reports whether asking again is worth it.
func (t *tracker) due(received int) bool {
	if len(t.pending) == 0 || received < t.retry {
		return false
	}
	t.retry = received + 1
	if len(t.pending) > 64 {
		t.retry = received + received/patience
	}
	return true
}

// state is the set as expressions see it. The doubt of its base is its own too.
func (t *tracker) state(base *lang.Doubt, open bool) lang.SetState {
	s := lang.SetState{Nodes: t.members, Doubt: base}
	if !t.plan.unsteady {
		s.Joined = t.members
	}
	if !open && t.sorted != nil {
		s.Nodes = t.sorted
	}
	if t.failed != nil && (s.Doubt == nil || !open) {
		s.Doubt = t.failed
	}
	return s
}

// sortByStart makes the order of a complete set independent of the arrival.
func (t *tracker) sortByStart(f *lang.Frame) {
	if slices.ContainsFunc(t.members, f.View.Evicted) {
		t.lose()
	}
	f.Guard(func() { t.sorted = slices.Clone(f.ByStart(t.members)) })
}
