package trace

import (
	"iter"
	"runtime"
	"slices"
)

// View is a frozen prefix of a [Graph]: everything received up to some moment,
// safe for concurrent use. Edges to later spans read as absent.
//
// A view does not keep spans from being evicted. What was evicted says nothing any
// more: ask Evicted where that makes a difference.
type View struct {
	g *Graph
	n int
}

// Received is the number of spans in the view: nodes 0 to Received() − 1.
func (v View) Received() int { return v.n }

// Span returns the span of a node. Of one that was evicted it returns a span that
// says nothing.
func (v View) Span(n Node) Span {
	r := v.g.record(n)
	for {
		place := r.place.Load()
		if place == 0 {
			return tombstone
		}
		if b := v.g.blockAt(uint32(place >> 32)); b != nil {
			return Span{b, uint32(place)}
		}
		// The span was moved to another block just now.
	}
}

// Evicted reports whether the span had to make room for others.
func (v View) Evicted(n Node) bool { return v.g.record(n).evicted() }

// Torn reports whether a child of the span was evicted, so that Children is not
// all that arrived. Ask it after Children.
func (v View) Torn(n Node) bool {
	r := v.g.record(n)
	return r.torn.Load() || r.evicted()
}

// TraceTorn reports whether a span of n's trace was evicted, so that Trace is not
// all that arrived. Ask it after Trace.
func (v View) TraceTorn(n Node) bool {
	r := v.g.record(n)
	if r.evicted() {
		return true
	}
	t := v.g.traces.at(int(r.trace))
	return t == nil || t.torn.Load()
}

// ReceivedAt is when the span arrived, by the receiver's clock; 0 if it was evicted
// long ago.
func (v View) ReceivedAt(n Node) Time { return v.g.record(n).received }

// InFlow reports whether the span is a member of any flow. Like Copies it may
// become so later.
func (v View) InFlow(n Node) bool { return v.g.record(n).member.Load() != 0 }

// HasService reports whether a span of the service was received, evicted or not.
func (v View) HasService(name string) bool {
	n, ok := v.g.services.Load(name)
	return ok && v.has(n.(Node))
}

// Services yields the services of which spans were received, in no order.
func (v View) Services() iter.Seq[string] {
	return func(yield func(string) bool) {
		v.g.services.Range(func(name, n any) bool {
			return !v.has(n.(Node)) || yield(name.(string))
		})
	}
}

// Connected reports whether the span is a member of a flow that an origin or a trigger
// started, rather than of flows only that take in a whole trace or everything, and not
// by a correlation key only: that says where it belongs, not what led to it. Like
// Copies it may become so later.
func (v View) Connected(n Node) bool {
	r := v.g.record(n)
	for i := r.member.Load(); i != 0; {
		m := v.g.members.at(int(i))
		if m == nil { // See memberOf.
			i = r.member.Load()
			continue
		}
		if m.caused() && m.rule() != ByKey {
			return true
		}
		i = m.next.Load()
	}
	return false
}

// Copies is how often the span was received. Unlike everything else in a view it
// may grow.
func (v View) Copies(n Node) int { return int(v.g.record(n).copies.Load()) }

// Parent returns the parent span, if it has arrived.
func (v View) Parent(n Node) (Node, bool) {
	p := Node(v.g.record(n).parent.Load())
	return p, v.has(p)
}

// LoopsBack reports whether the parent that n names is n itself or a span below it. Then n
// was left without a parent.
func (v View) LoopsBack(n Node) bool {
	parent, id := v.Span(n).ParentID(), v.Span(n).TraceID()
	if _, has := v.Parent(n); has || parent.IsZero() {
		return false
	}
	for below := []Node{n}; len(below) > 0; {
		last := below[len(below)-1]
		if s := v.Span(last); s.ID() == parent && s.TraceID() == id {
			return true
		}
		below = slices.AppendSeq(below[:len(below)-1], v.Children(last))
	}
	return false
}

func (v View) has(n Node) bool { return n >= 0 && int(n) < v.n }

// The iterators are short so that they are inlined and allocate nothing.

// Children yields the child spans that have arrived, the newest first.
func (v View) Children(n Node) iter.Seq[Node] {
	return func(yield func(Node) bool) { v.eachChild(n, v.g.record(n), yield) }
}

func (v View) eachChild(n Node, owner *record, yield func(Node) bool) {
	last, resumed := None, false
	for c := Node(owner.firstChild.Load()); c != None; {
		r := v.g.nodes.at(int(c))
		if r != nil && r.parent.Load() == int32(n) && (!resumed || c < last) && v.has(c) && !r.evicted() {
			if last = c; !yield(c) {
				return
			}
		}
		if next := v.g.sibling(r, n); next != moved {
			c = next
			continue
		}
		if owner.evicted() { // It was evicted or moved, and taken off the list, just now.
			return
		}
		c, resumed = Node(owner.firstChild.Load()), last != None
	}
}

// moved stands for a record that is not among a parent's children any more.
const moved Node = -2

// sibling is the child of the parent that comes after r. While a child moves, the sibling
// that a record names and the parent under which it does are not of one moment: one that
// comes back would lead over those that stayed.
func (g *Graph) sibling(r *record, parent Node) Node {
	if r == nil {
		return moved
	}
	for {
		moves := g.moves.Load()
		next, under := Node(r.nextSibling.Load()), Node(r.parent.Load())
		if moves%2 == 0 && g.moves.Load() == moves {
			if under != parent {
				return moved
			}
			return next
		}
		runtime.Gosched()
	}
}

// Causes yields the spans that n follows from over links and messages: the
// targets of its links, the producer of its message. Some may have been evicted.
func (v View) Causes(n Node) iter.Seq2[Node, Rule] {
	return func(yield func(Node, Rule) bool) { v.along(v.g.record(n).in.Load(), yield) }
}

// Effects yields the spans that follow from n over links and messages. Some may
// have been evicted.
func (v View) Effects(n Node) iter.Seq2[Node, Rule] {
	return func(yield func(Node, Rule) bool) { v.along(v.g.record(n).out.Load(), yield) }
}

// Followers yields the children of n, then its effects.
func (v View) Followers(n Node) iter.Seq[Node] {
	return func(yield func(Node) bool) {
		for c := range v.Children(n) {
			if !yield(c) {
				return
			}
		}
		for e := range v.Effects(n) {
			if !yield(e) {
				return
			}
		}
	}
}

func (v View) along(first int32, yield func(Node, Rule) bool) {
	for i := first; i != 0; {
		e := v.g.edges.at(int(i))
		if e == nil {
			return // Edges go when the span goes that has them.
		}
		if rule := Rule(e.rule.Load()); rule != NoRule && v.has(e.other) && !yield(e.other, rule) {
			return
		}
		i = e.next
	}
}

// Trace yields all spans of n's trace in the order of their arrival.
func (v View) Trace(n Node) iter.Seq[Node] {
	return func(yield func(Node) bool) { v.eachOfTrace(v.g.record(n), yield) }
}

func (v View) eachOfTrace(owner *record, yield func(Node) bool) {
	t := v.g.traces.at(int(owner.trace))
	if t == nil || owner.evicted() {
		return
	}
	last := None
	for n := Node(t.first.Load()); v.has(n); {
		r := v.g.nodes.at(int(n))
		if r == nil { // It was evicted, and taken off the list, just now.
			if owner.evicted() {
				return
			}
			n = Node(t.first.Load())
			continue
		}
		if n > last && !r.evicted() {
			if last = n; !yield(n) {
				return
			}
		}
		n = Node(r.traceNext.Load())
	}
}
