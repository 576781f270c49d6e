package report

import (
	"time"

	"github.com/followspan/followspan/trace"
)

// clock tells the times of a flow from what stands where none was known: zero, and
// in a flow that took place later also the first day of 1970, which is what a clock
// says that was never set.
type clock struct {
	unset trace.Time // nothing up to this is a time
}

func newClock(f trace.Flow) clock {
	const firstDay = trace.Time(24 * time.Hour)
	for i := range f.Len() {
		if s := f.Span(f.Member(i)); max(s.Start(), s.End()) > firstDay {
			return clock{firstDay}
		}
	}
	return clock{}
}

func (c clock) knows(t trace.Time) bool { return t > c.unset }

// interval is how long something was, as far as its times are known.
type interval struct{ start, end trace.Time }

func intervalOf(s trace.Span) interval { return interval{s.Start(), s.End()} }

// when is where an interval stands on an axis of time, in an instant if only one of
// its times is known; false if it has none.
func (c clock) when(i interval) (interval, bool) {
	switch {
	case !c.knows(i.start):
		return interval{i.end, i.end}, c.knows(i.end)
	case i.end < i.start:
		return interval{i.start, i.start}, true
	}
	return i, true
}

// before reports whether a span begins before another one, as all with a time do
// before those without.
func (c clock) before(a, b trace.Span) bool {
	first, ok := c.when(intervalOf(a))
	second, known := c.when(intervalOf(b))
	return ok && (!known || first.start < second.start)
}

// took is how long an interval is, or what is lacking to know.
func (c clock) took(i interval) string {
	switch start, end := c.knows(i.start), c.knows(i.end); {
	case !start && !end:
		return "no time"
	case !start:
		return "no start"
	case !end:
		return "no end"
	}
	return duration(i.end.Sub(i.start))
}

// period is the time from the first start of some spans to their last end.
type period struct{ from, to trace.Time }

// take makes the period contain an interval, unless it has no time.
func (p *period) take(c clock, i interval) {
	i, ok := c.when(i)
	if !ok {
		return
	}
	if p.from == 0 || i.start < p.from {
		p.from = i.start
	}
	p.to = max(p.to, i.end)
}

// length is how long the period is, in words.
func (p period) length() string {
	if p.to == 0 {
		return "no time"
	}
	return duration(p.to.Sub(p.from))
}
