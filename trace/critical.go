package trace

import (
	"cmp"
	"slices"
)

// Stretch is a time in which one span was the one that others waited for.
type Stretch struct {
	Node     Node
	From, To Time
}

// Critical returns the critical path of a span: from its end, the latest of its
// children to end by then, and so on within each. The stretches stand as they were
// found, a span before those below it and each from its end backwards; one may be
// empty. A child that outlives what was waited for is skipped, not clipped, to the
// microsecond, and so is one that was over before it began or has no time. (Uber's
// CRISP, USENIX ATC 2022, less its tolerance of small overlaps.)
//
// Look is told of the work, one more than the children of each span on the path; it
// may panic to end it. Nil: nobody is.
func (v View) Critical(n Node, look func(steps int)) []Stretch {
	if look == nil {
		look = func(int) {}
	}
	c := critical{view: v, look: look}
	c.walk(n)
	return c.path
}

type critical struct {
	view View
	look func(int)
	path []Stretch
}

func (c *critical) walk(n Node) {
	span := c.view.Span(n)
	if !span.timed() {
		c.look(1)
		c.path = append(c.path, Stretch{n, span.End(), span.End()})
		return
	}
	children := slices.Collect(c.view.Children(n))
	c.look(len(children) + 1)
	slices.SortFunc(children, func(a, b Node) int {
		s, t := c.view.Span(a), c.view.Span(b)
		return cmp.Or(cmp.Compare(t.End(), s.End()), t.Compare(s))
	})
	point := span.End()
	for _, child := range children {
		s := c.view.Span(child)
		if !s.timed() || s.End() < span.Start() || micros(s.End()) > micros(point) {
			continue // it says no time, was over before, or outlived what was waited for
		}
		c.path = append(c.path, Stretch{n, min(s.End(), point), point})
		c.walk(child)
		point = s.Start()
	}
	c.path = append(c.path, Stretch{n, min(span.Start(), point), point})
}

// timed reports whether a span has a start and an end, in this order.
func (s Span) timed() bool { return s.Start() > 0 && s.End() >= s.Start() }

func micros(t Time) uint64 { return uint64(t) / 1000 }

// Compare orders spans by start, then end, then by what tells them apart.
func (s Span) Compare(t Span) int {
	if c := cmp.Or(cmp.Compare(s.Start(), t.Start()), cmp.Compare(s.End(), t.End())); c != 0 {
		return c
	}
	a, b, x, y := s.TraceID(), t.TraceID(), s.ID(), t.ID()
	return cmp.Or(slices.Compare(a[:], b[:]), slices.Compare(x[:], y[:]), cmp.Compare(s.Service(), t.Service()), cmp.Compare(s.Kind(), t.Kind()))
}
