package trace

import (
	"math"
	"slices"
	"time"
)

// maxClocks is how many clocks a flow may have before offsets between them are
// no longer derived from one another; the composition is cubic.
const maxClocks = 64

// clocks bounds the offset between every two clocks of a flow. A clock is a
// host's, or a process's where the host is unknown; of processes that are not named,
// as many as there is room for. With o(c) as what has to be
// added to a timestamp of clock c to make it true, least[a][b] is the smallest
// value that o(b) − o(a) can have.
type clocks struct {
	number map[clock]int
	least  [][]time.Duration
}

const unbounded = time.Duration(math.MinInt64 / 4)

// newClocks intersects what the pairs of client and server say: a client starts
// before its server (always), a server starts before its client ends (unless that
// failed), a server ends before its client ends (evidence only: dropped where the
// others contradict it). Of clocks that contradict each other all the same nothing is known.
func newClocks(o *Order) *clocks {
	c := &clocks{number: map[clock]int{}}
	c.count(o, true)
	c.count(o, false)
	if len(c.number) < 2 || len(c.number) > maxClocks {
		return c
	}
	c.least = make([][]time.Duration, len(c.number))
	for a := range c.least {
		c.least[a] = make([]time.Duration, len(c.number))
		for b := range c.least[a] {
			switch {
			case a == b:
			case o.skew > 0:
				c.least[a][b] = -o.skew
			default:
				c.least[a][b] = unbounded
			}
		}
	}
	c.observe(o)
	c.withoutEmpty()
	for bounds := c.clone(); ; bounds = c.clone() {
		if c.compose(); !c.disagrees() {
			return c
		}
		c.withoutDisagreement(bounds)
	}
}

// withoutEmpty drops what two clocks say of each other where no offset keeps it.
func (c *clocks) withoutEmpty() {
	for a := range c.least {
		for b := range a {
			if x, y := c.least[a][b], c.least[b][a]; x != unbounded && y != unbounded && x > -y {
				c.least[a][b], c.least[b][a] = unbounded, unbounded
			}
		}
	}
}

// clone copies the bounds.
func (c *clocks) clone() [][]time.Duration {
	bounds := make([][]time.Duration, len(c.least))
	for a := range bounds {
		bounds[a] = slices.Clone(c.least[a])
	}
	return bounds
}

// disagrees reports whether no offsets keep all bounds: a clock would have to be later than
// itself.
func (c *clocks) disagrees() bool {
	for a := range c.least {
		if c.least[a][a] > 0 {
			return true
		}
	}
	return false
}

// withoutDisagreement goes back to the bounds from before they were composed, but for those
// between clocks that disagree: one of these jumped, or did not wait where it seemed to.
func (c *clocks) withoutDisagreement(bounds [][]time.Duration) {
	for a := range bounds {
		for b := range bounds {
			if a != b && c.least[a][a] > 0 && c.least[b][b] > 0 {
				bounds[a][b] = unbounded
			}
		}
	}
	c.least = bounds
}

// count numbers the clocks that have a name, or the others.
func (c *clocks) count(o *Order, named bool) {
	for i := range o.f.Len() {
		key := o.clockOf(o.f.Member(i))
		if key.isNamed() != named || !named && len(c.number) >= maxClocks {
			continue
		}
		if _, ok := c.number[key]; !ok {
			c.number[key] = len(c.number)
		}
	}
}

// clock is a host's, or that of a process.
type clock struct {
	host string
	of   process
}

func (c clock) isNamed() bool { return c.host != "" || c.of.name != "" }

func (o *Order) clockOf(n Node) clock {
	if host := o.f.Span(n).Resource().Host(); host != "" {
		return clock{host: host}
	}
	return clock{of: o.process(n)}
}

// evidence is a bound that a well-behaved pair keeps: o(b) − o(a) ≥ least.
type evidence struct {
	a, b  int
	least time.Duration
}

func (c *clocks) observe(o *Order) {
	var soft []evidence
	for i := range o.f.Len() {
		n := o.f.Member(i)
		b, known := c.number[o.clockOf(n)]
		if !known {
			continue
		}
		for cause := range o.startCauses(n) {
			a, known := c.number[o.clockOf(cause)]
			if !known || a == b {
				continue
			}
			x, y := o.f.Span(cause), o.f.Span(n)
			if !x.timed() || !y.timed() {
				continue
			}
			c.bound(a, b, x.Start().Sub(y.Start()))
			if o.awaited(cause, n) {
				c.bound(b, a, y.Start().Sub(x.End()))
				soft = append(soft, evidence{b, a, y.End().Sub(x.End())})
			}
		}
	}
	for _, e := range soft {
		// o(b) − o(a) ≥ least[a][b] means that o(a) − o(b) is at most its negative.
		if most := c.least[e.b][e.a]; most == unbounded || e.least <= -most {
			c.bound(e.a, e.b, e.least)
		}
	}
}

// bound keeps the larger of two bounds, and both so small that sums of two fit.
func (c *clocks) bound(a, b int, least time.Duration) {
	c.least[a][b] = max(c.least[a][b], min(least, -unbounded))
}

// compose derives bounds over third clocks, as in the shortest-path closure of a
// system of difference constraints.
func (c *clocks) compose() {
	for k := range c.least {
		for a := range c.least {
			for b := range c.least {
				if x, y := c.least[a][k], c.least[k][b]; x != unbounded && y != unbounded {
					c.bound(a, b, x+y)
				}
			}
		}
	}
}

// compareClocks orders events of different clocks where every possible offset
// gives the same order.
func (o *Order) compareClocks(x, y Moment, r Ordering) Ordering {
	least, back, ok := o.offset(x, y)
	if !ok {
		return r
	}
	if least != unbounded && back != unbounded {
		r.Uncertainty = (-back - least) / 2
	}
	gap := max(min(r.Gap, -unbounded), unbounded)
	switch {
	case least != unbounded && gap+least > 0:
		return r.decide(true, ByClocks)
	case back != unbounded && back-gap > 0:
		return r.decide(false, ByClocks)
	}
	return r
}

// offset is by how much at least the clock of y has to be put forward against that of x,
// and the other way round; false if nothing is known of that.
func (o *Order) offset(x, y Moment) (least, back time.Duration, ok bool) {
	a, ok := o.clocks.number[o.clockOf(x.Node())]
	b, ok2 := o.clocks.number[o.clockOf(y.Node())]
	if !ok || !ok2 || a == b || o.clocks.least == nil || o.wrong[x.Node()] || o.wrong[y.Node()] {
		return 0, 0, false
	}
	return o.clocks.least[a][b], o.clocks.least[b][a], true
}

// possible is a gap between events of different clocks, or the nearest to it that is
// possible.
func (o *Order) possible(x, y Moment, gap time.Duration) time.Duration {
	least, back, ok := o.offset(x, y)
	if !ok || gap < unbounded || gap > -unbounded {
		return gap
	}
	switch {
	case least > 0:
		return gap + least
	case back > 0:
		return gap - back
	}
	return gap
}
