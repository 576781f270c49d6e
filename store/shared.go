package store

import (
	"slices"

	"github.com/followspan/followspan/trace"
)

// Tracers in the style of Zipkin give the server's half of a call the id of the
// client's half. Which of them arrives first must not matter, so what hangs where is
// looked at again when a span arrives whose id another one has.

// move is a span that left one parent, None if it had none, for another.
type move struct{ n, from, to trace.Node }

// unite finds anew the parents of the spans that share an id and of their children,
// and the targets of what links to the id. It returns the spans that got an edge.
func (x *index) unite(id spanID, hash uint64) (joined []trace.Node) {
	v := x.graph.View()
	var halves, all []trace.Node
	for half := range x.all(v, id, hash) {
		halves = append(halves, half)
	}
	all = append(all, halves...)
	for _, half := range halves {
		for child := range v.Children(half) {
			all = append(all, child)
		}
		for linker := range v.Effects(half) {
			for _, other := range halves {
				if linksTo(v.Span(linker), id) && connect(x.graph, other, linker, trace.ByLink) {
					joined = append(joined, linker)
				}
			}
		}
	}
	for _, n := range all {
		if x.settle(v, n) {
			joined = append(joined, n)
		}
	}
	return joined
}

// settle hangs n under the span where it belongs, and reports whether it moved.
func (x *index) settle(v trace.View, n trace.Node) bool {
	s := v.Span(n)
	h := x.hash(s)
	to := x.clientHalf(v, s, h)
	if to == trace.None {
		to = x.named(v, s, h)
	}
	from, placed := v.Parent(n)
	if to == trace.None || placed && from == to || isAncestor(v, n, to) {
		return false
	}
	if !placed {
		from = trace.None
		x.leave(v, n, parentOf(s))
	}
	x.graph.SetParent(n, to)
	x.moved = append(x.moved, move{n, from, to})
	return true
}

// clientHalf is the client's half of a call of which s is the server's, None if there
// is none.
func (x *index) clientHalf(v trace.View, s trace.Span, h spanHashes) trace.Node {
	if s.Kind() != trace.Server {
		return trace.None
	}
	found := trace.None
	for n := range x.all(v, idOf(s), h.own) {
		if v.Span(n).Kind() == trace.Client && (found == trace.None || v.Span(n).Compare(v.Span(found)) < 0) {
			found = n
		}
	}
	return found
}

// named is the span with the id that s names as its parent, None if there is none. Of
// two halves it is the server's, which is what did the rest.
func (x *index) named(v trace.View, s trace.Span, h spanHashes) trace.Node {
	found := trace.None
	for n := range x.all(v, parentOf(s), h.parent) {
		if found == trace.None || suits(v.Span(n), v.Span(found)) {
			found = n
		}
	}
	return found
}

// suits reports whether a is a better parent than b, which has the same id.
func suits(a, b trace.Span) bool {
	if server := a.Kind() == trace.Server; server != (b.Kind() == trace.Server) {
		return server
	}
	return a.Compare(b) < 0
}

// move tells the flows of a span that it hangs elsewhere. Those that it may have left
// are founded anew, since members cannot leave; that takes a server's half that names
// another parent than the client's.
func (s *Store) move(m move) {
	v := s.graph.View()
	s.attached = append(s.attached, m.to)
	left := m.from != trace.None && !isAncestor(v, m.from, m.to)
	for in := range s.instancesOf(m.n) {
		in.moves++
		s.changed(in)
		if left && (in.of.Opens == trace.OpensBySpan || in.of.Opens == trace.OpensByKey || in.of.Opens == trace.OpensByTrigger) {
			s.ambiguous = append(s.ambiguous, in)
		}
	}
	if m.from != trace.None && v.Span(m.from).Kind() == trace.Client {
		s.waitAgain(m.from)
	}
}

// waitAgain has a client's span looked at whose server seemed to have arrived.
func (s *Store) waitAgain(client trace.Node) {
	for in := range s.instancesOf(client) {
		if !slices.Contains(in.pending, client) {
			s.keepPending(in, append(in.pending, client))
		}
	}
}

func linksTo(s trace.Span, id spanID) bool {
	for l := range s.Links() {
		if l.TraceID() == id.trace && l.SpanID() == id.span {
			return true
		}
	}
	return false
}
