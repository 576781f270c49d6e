package store

import "github.com/followspan/followspan/trace"

// distance is how far a member is from the origin of its flow: the fewest hops over
// links and messages that lead to it, on any way and on those that need no
// correlation key. It does not depend on the way that was found first.
type distance struct {
	hops  uint16
	plain uint16 // without a key; hops at least
	byKey bool   // there is no such way
}

// throughKey is the distance of what a correlation key joins.
var throughKey = distance{byKey: true}

// hop goes on over one link or message, and reports false if that is too far.
func (d *distance) hop(most int) bool {
	d.hops++
	d.plain++
	if int(d.plain) > most {
		d.plain, d.byKey = 0, true
	}
	return int(d.hops) <= most
}

// nearest is the nearer of two ways to one member, of each kind.
func nearest(a, b distance) distance {
	out := distance{hops: min(a.hops, b.hops), byKey: a.byKey && b.byKey}
	switch {
	case out.byKey:
	case a.byKey:
		out.plain = b.plain
	case b.byKey:
		out.plain = a.plain
	default:
		out.plain = min(a.plain, b.plain)
	}
	return out
}

// ways is what is kept of instances that reach beyond parents and children, or lost
// something. Few do.
type ways struct {
	far     map[trace.Node]distance // of members that have any
	beyond  map[trace.Node]struct{} // spans that too many hops lead to
	holds   map[*holders]int        // values of correlation keys, numbered
	origins []trace.Node            // if several may be the origin; some may have been evicted
	others  map[trace.TraceID]part  // traces of members, besides its own
	dropped map[string]int          // by what the SDKs dropped
}

const waysBytes = 96 // and an allocation

func (s *Store) waysOf(in *instance) *ways {
	if in.ways == nil {
		in.ways = &ways{}
		s.book(in, waysBytes)
	}
	return in.ways
}

func (in *instance) distance(n trace.Node) distance {
	if in.ways == nil {
		return distance{}
	}
	return in.ways.far[n]
}

// part says how an instance has a part of a trace. Where it has the root, or more than a
// correlation key leads to it, an orphan that a key joins is not where it was entered.
type part struct {
	entered bool // otherwise than by a key
	root    bool // it has a span without a parent
}

// others are the traces of members besides its own.
func (in *instance) others() map[trace.TraceID]part {
	if in.ways == nil {
		return nil
	}
	return in.ways.others
}

// dropped is what is known to be lost of members.
func (in *instance) dropped() map[string]int {
	if in.ways == nil {
		return nil
	}
	return in.ways.dropped
}

// cutOff is how many spans too many hops lead to.
func (in *instance) cutOff() int {
	if in.ways == nil {
		return 0
	}
	return len(in.ways.beyond)
}

// goesBeyond books a span that is not followed to.
func (s *Store) goesBeyond(in *instance, n trace.Node) {
	w := s.waysOf(in)
	if w.beyond == nil {
		w.beyond = map[trace.Node]struct{}{}
	}
	if _, known := w.beyond[n]; !known {
		w.beyond[n] = struct{}{}
		s.book(in, hopBytes)
	}
}

// nearer brings a member nearer than it was known to be, and reports false if it is
// not.
func (s *Store) nearer(in *instance, n trace.Node, d distance) bool {
	known := in.distance(n)
	d = nearest(known, d)
	if d == known {
		return false
	}
	s.setDistance(in, n, d)
	s.changed(in)
	if known.byKey && !d.byKey {
		span := s.graph.View().Span(n)
		s.noStray(s.process(span), n)
		s.takesPart(in, span, d)
		s.correlate(in, n)
	}
	return true
}

// setDistance books how far a member is, which is then not beyond.
func (s *Store) setDistance(in *instance, n trace.Node, d distance) {
	near := d == distance{}
	if near && in.ways == nil {
		return
	}
	w := s.waysOf(in)
	delete(w.beyond, n)
	_, known := w.far[n]
	switch {
	case near && known:
		delete(w.far, n)
		s.book(in, -hopBytes)
	case near:
	default:
		if w.far == nil {
			w.far = map[trace.Node]distance{}
		}
		if w.far[n] = d; !known {
			s.book(in, hopBytes)
		}
	}
}
