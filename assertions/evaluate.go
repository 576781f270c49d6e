package assertions

import (
	"slices"

	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/trace"
)

// Evaluate looks at a later prefix of the flow and returns the verdicts that it
// decided, in the order of the file. Over a closed flow it decides all that are
// left. It depends on nothing but the prefixes that it was given.
func (in *Instance) Evaluate(f trace.Flow) []Verdict {
	closing := f.State() == trace.Closed
	if f.State() == trace.Retracted || in.Done() && !closing {
		return nil
	}
	news := in.look(f)
	moved := in.fill(f, news)
	var out []Verdict
	for _, s := range in.states {
		if s.decided || !closing && !in.worthAsking(s, f, moved) {
			continue
		}
		if v, ok := in.judge(s, f, closing); ok {
			s.decided = true
			out = append(out, v)
		}
	}
	for _, t := range in.sets {
		t.changed = false
	}
	in.received, in.response = f.Received(), false
	return out
}

// look points the frame at the new prefix and returns the members that are new.
func (in *Instance) look(f trace.Flow) []trace.Node {
	fr := in.frame
	in.judged = f
	fr.View, fr.Open, fr.OriginMoves = f.View, f.State() != trace.Closed, in.flow.Decl.gathersOrigins()
	fr.Origin = trace.None
	if n, ok := f.Origin(); ok {
		fr.Origin = n
	}
	fr.Member = f.Contains
	fr.Orphan = orphans(f)
	fr.Instrumented = f.HasService
	var order *trace.Order
	fr.Order = func() lang.Order {
		if order == nil {
			order = trace.NewOrder(f, in.flow.Timing.ClockSkew)
		}
		return order
	}
	before := len(in.spans)
	trigger, triggered := f.Trigger()
	for ; in.members < f.Len(); in.members++ {
		if n := f.Member(in.members); !triggered || n != trigger {
			in.spans = append(in.spans, n)
		}
	}
	return in.spans[before:]
}

// orphans says which spans name a parent that should have arrived. Of members the
// flow knows whether the parent is outside of what is observed.
func orphans(f trace.Flow) func(trace.Node) bool {
	waiting := map[trace.Node]bool{}
	for _, e := range f.OpenEdges() {
		if e.Kind == trace.WaitsForParent {
			waiting[e.Node] = true
		}
	}
	return func(n trace.Node) bool { return waiting[n] || !f.Contains(n) }
}

// fill asks the selectors about new spans and about those that an edge may have
// decided. It reports whether an edge may have appeared.
func (in *Instance) fill(f trace.Flow, news []trace.Node) bool {
	closing := !in.frame.Open
	known := in.frame.Origin != trace.None
	moved := closing || f.Received() != in.received || known != in.origin
	if moved {
		in.frame.Edition++
	}
	in.originNew = known && !in.origin
	in.origin, in.lastNews = known, trace.None
	for _, n := range news {
		in.lastNews = max(in.lastNews, n)
	}
	in.frame.Sets, in.pretended = in.published, nil
	filed := in.file(news)
	for i, t := range in.sets {
		if t.plan.late && !closing {
			t.stale = t.stale || moved || len(news) > 0
			continue
		}
		t.stale = false
		in.fillSet(i, t, filed, moved)
	}
	return moved
}

// file sorts new spans by their services, so that a selector that names one is not
// asked about the others.
func (in *Instance) file(news []trace.Node) map[string][]trace.Node {
	for service := range in.filed {
		in.filed[service] = in.filed[service][:0]
	}
	for _, n := range news {
		span := in.frame.View.Span(n)
		in.missed = in.missed || span.Evicted()
		service := span.Service()
		list, known := in.filed[service]
		if !known {
			service = clone(service) // the map outlives the span's memory
		}
		in.filed[service] = append(list, n)
	}
	return in.filed
}

// fillSet brings one set up to date. Sets stand behind those that they read.
func (in *Instance) fillSet(i int, t *tracker, filed map[string][]trace.Node, moved bool) {
	closing := !in.frame.Open
	switch {
	case i == 0:
		t.take(in.frame, in.spans)
	case t.plan.base == 0 && t.plan.service != "":
		if in.missed {
			t.lose()
		}
		t.ask(in.frame, filed[t.plan.service])
	case t.plan.computed == nil:
		base := in.sets[t.plan.base]
		if t.of != base.version {
			t.forget() // its base is not only ever added to
			t.of = base.version
		}
		t.take(in.frame, base.members)
	}
	if closing || moved && t.due(in.judged.Received()) {
		t.askAgain(in.frame)
	}
	if closing {
		t.sortByStart(in.frame)
	}
	in.publishSet(i, t)
}

// publishSet makes a set known to expressions.
func (in *Instance) publishSet(i int, t *tracker) {
	if t.plan.computed != nil {
		in.compute(i, t)
		return
	}
	in.frame.Sets[i] = t.state(in.doubtOf(i, t), in.frame.Open)
}

func (in *Instance) compute(i int, t *tracker) {
	v := t.plan.computed.Value(in.frame)
	nodes := v.Nodes()
	if !slices.Equal(nodes, t.members) || t.seen == 0 {
		t.changed, t.seen, t.version = true, 1, t.version+1
	}
	t.members = nodes
	in.frame.Sets[i] = lang.SetState{Nodes: nodes, Doubt: v.Doubt()}
}

// worthAsking reports whether an open flow could answer an assertion differently
// than before.
func (in *Instance) worthAsking(s *checkState, f trace.Flow, edges bool) bool {
	p := s.that.Program()
	s.stale = s.stale || p.ReadsEdges && edges || p.ReadsResponse && in.response || in.reads(p)
	if s.when != nil {
		w := s.when.Program()
		s.stale = s.stale || w.ReadsEdges && edges || w.ReadsResponse && in.response || in.reads(w)
	}
	if !s.stale {
		return false
	}
	if s.steps < alwaysCheap || s.spent < stepsPerSpan*len(in.spans)+stepsAtFirst || f.State() == trace.Complete {
		return true
	}
	return len(in.spans) >= s.spans+s.spans/patience
}

// An assertion is asked whenever something has changed that it reads, so that its
// verdict latches at once, for as long as what that costs is in proportion to the
// spans. Where many spans come one by one it then waits for an eighth more of
// them, or for a pause, which keeps the work linear.
const (
	alwaysCheap  = 300 // steps of one evaluation
	stepsPerSpan = 50
	stepsAtFirst = 20_000
)

func (in *Instance) reads(p *lang.Program) bool {
	for _, i := range p.Sets {
		if in.sets[i].changed || in.sets[i].stale {
			return true
		}
	}
	return false
}
