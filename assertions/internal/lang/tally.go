package lang

import "github.com/followspan/followspan/trace"

// Tally remembers what a condition said of the members of a declared set, so that
// each is asked once, and again only while an edge may change the answer. It is
// what makes judging linear in the number of spans.
type Tally struct {
	yes, no int
	values  []Value // of distinct
	known   map[identity]bool
	seen    int // members of the set that were asked
	pending []trace.Node
	failed  *Doubt
	asked   int // the frame's edition when the pending ones were asked last
	retry   int // members at which many pending ones are worth another question
}

// tallied reports whether a call may be answered from a Tally: its closure is
// about a declared set, and about nothing but the element.
func (e *Expr) tallied() bool {
	return e.Calls("any", "all", "none", "one", "count", "distinct") && len(e.Args) == 2 && e.Args[0].Op == OpSet && e.Args[1].closed()
}

// closed reports whether a closure depends on nothing but its element.
func (e *Expr) closed() bool {
	own := map[int]bool{}
	closed := true
	e.Walk(func(x *Expr) bool {
		switch x.Op {
		case OpClosure, OpLet:
			own[x.slot] = true
		case OpSet, OpOrigin, OpResponse, OpRuns:
			closed = false
		case OpElement, OpLocal:
			closed = closed && own[x.slot]
		}
		return closed
	})
	return closed
}

// cached is what the tally of a call says by now, if there is one.
func (e *Expr) cached(f *Frame) (tally, bool) {
	t := e.remembered(f)
	if t == nil {
		return tally{}, false
	}
	return tally{yes: t.yes, no: t.no, doubt: t.doubt(&f.Sets[e.Args[0].index])}, true
}

// doubt is why what a tally says of a set may change.
func (t *Tally) doubt(set *SetState) *Doubt {
	d := set.Doubt
	if len(t.pending) > 0 {
		d = worse(d, edgePending)
	}
	return worse(d, t.failed)
}

// remembered brings the tally of a call up to date.
func (e *Expr) remembered(f *Frame) *Tally {
	if e.index == 0 || f.Tallies == nil || f.Within > 0 {
		return nil
	}
	t, set := &f.Tallies[e.index-1], &f.Sets[e.Args[0].index]
	if set.Joined == nil && len(set.Nodes) > 0 {
		return nil
	}
	if t.due(f, len(set.Joined)) {
		pending := t.pending
		t.pending, t.asked = nil, f.Edition
		for _, n := range pending {
			t.ask(f, e, n)
		}
	}
	for _, n := range set.Joined[t.seen:] {
		t.ask(f, e, n)
	}
	t.seen = len(set.Joined)
	return t
}

// due reports whether the pending members are to be asked again. Many of them are
// asked only now and then while the flow is open, which keeps the work linear.
func (t *Tally) due(f *Frame, members int) bool {
	if len(t.pending) == 0 || t.asked == f.Edition || f.Open && members < t.retry {
		return false
	}
	if len(t.pending) > 64 {
		t.retry = members + members/8
	}
	return true
}

func (t *Tally) ask(f *Frame, e *Expr, n trace.Node) {
	f.step(1)
	before := f.lost
	f.lost = false
	v := f.butLost(e.ofMember(f, n))
	f.lost = before
	if e.Word.Name == "distinct" {
		t.tell(f, n, v)
		return
	}
	switch {
	case v.True():
		t.yes++
	case v.False():
		t.no++
	case v.Doubt().Why == Pending:
		t.pending = append(t.pending, n)
	default:
		t.failed = worse(t.failed, v.Doubt())
	}
}

// ofMember is what the closure of a call says of a member.
func (e *Expr) ofMember(f *Frame, n trace.Node) Value {
	switch {
	case e.service != "" && f.span(n).Service() != e.service:
		return no
	case e.Word.Name == "distinct":
		return e.Args[1].of(f, spanValue(n))
	}
	return e.Args[1].holds(f, spanValue(n))
}

// tell remembers a value.
func (t *Tally) tell(f *Frame, n trace.Node, v Value) {
	if d := v.Doubt(); d != nil && d.Why == Pending {
		t.pending = append(t.pending, n)
		return
	} else if d != nil {
		t.failed = worse(t.failed, d)
		return
	}
	f.step(v.size())
	if id := v.identity(); v.kind != Missing && !t.known[id] {
		if t.known == nil {
			t.known = map[identity]bool{}
		}
		t.known[id] = true
		t.values = append(t.values, v)
	}
}
