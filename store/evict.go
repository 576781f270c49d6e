package store

import (
	"slices"

	"github.com/followspan/followspan/trace"
)

// DefaultLinger is how long a span that belongs to no flow is kept at least: an
// origin may end, and so arrive, long after the spans that it caused.
const DefaultLinger = trace.DefaultDeadline

// makeRoom evicts until a batch fits, the oldest first: flows by when they
// closed, spans in no flow by when they lingered long enough. It reports whether
// it fits.
func (s *Store) makeRoom(d demand) bool {
	now := trace.TimeOf(s.settings.Now())
	for {
		switch missing := s.missing(d); {
		case missing <= 0:
			return true
		case missing <= s.graph.Reclaimable():
			s.graph.Compact()
		case s.evictOldest(now):
		case s.graph.Reclaimable() > 0:
			s.graph.Compact() // It was an estimate.
		default:
			return false
		}
	}
}

// evictOldest evicts one flow or one span, and reports whether there was one.
func (s *Store) evictOldest(now trace.Time) bool {
	in := oldest(&s.released)
	n, since := s.oldestStray(now)
	switch {
	case in != nil && (n == trace.None || in.ended <= since):
		s.released.pop()
	case n != trace.None:
		s.log(Op{Kind: OpEvictSpan, Node: n})
		s.evictSpan(n)
		return true
	default:
		if in = oldest(&s.spared); in == nil {
			return false
		}
		s.spared.pop()
	}
	s.evictFlow(in)
	return true
}

// oldest is the first of the flows that were released and are so still.
func oldest(q *fifo[*instance]) *instance {
	for in, ok := q.first(); ok; in, ok = q.first() {
		if in.released && !in.dirty && in.state == trace.Closed {
			return in
		}
		q.pop() // It comes again when it is released again.
		in.queuedOut = false
	}
	return nil
}

// Release says that the caller has judged f, a closed flow, and will not read its
// spans again: they may make room for others from now on. If spans have come since
// that f does not hold, they stay, and Next hands out the flow once more.
func (s *Store) Release(f trace.Flow) { s.release(f, &s.released) }

// ReleaseLast is Release for flows that are best kept, such as those that are
// compared with others: they make room only when nothing else can.
func (s *Store) ReleaseLast(f trace.Flow) { s.release(f, &s.spared) }

func (s *Store) release(f trace.Flow, q *fifo[*instance]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in := s.instances[f.Number()]
	if in == nil || in.state != trace.Closed || in.w.Len() != f.Len() {
		return
	}
	in.released = true
	if !in.queuedOut {
		in.queuedOut = true
		q.push(in)
	}
}

// oldestStray is the oldest span that may be evicted by itself, and since when:
// one that no flow holds. Spans are looked at in the order of their arrival, and
// once, unless they leave a flow.
func (s *Store) oldestStray(now trace.Time) (trace.Node, trace.Time) {
	for ; s.swept < s.sweepable(); s.swept++ {
		if n, since, stray := s.isStray(s.swept); stray {
			if since <= now {
				return n, since
			}
			break // All that follow are younger.
		}
	}
	for n, ok := s.loose.first(); ok; n, ok = s.loose.first() {
		if n, since, stray := s.isStray(n); stray {
			if since <= now && n < s.sweepable() {
				return n, since
			}
			break
		}
		s.loose.pop()
	}
	return trace.None, 0
}

// sweepable is the first of the spans that are too young to be evicted, whatever
// holds them.
func (s *Store) sweepable() trace.Node {
	switch {
	case s.settings.Recorded && slices.ContainsFunc(s.flows, func(d *declaration) bool { return len(d.Keys) > 0 }):
		return 0 // A flow with its value may come at the end.
	case s.settings.Recorded:
		return s.horizon
	}
	return trace.Node(s.graph.Len())
}

// isStray reports whether nothing holds n, and from when on it may be evicted.
func (s *Store) isStray(n trace.Node) (trace.Node, trace.Time, bool) {
	v := s.graph.View()
	if v.Evicted(n) || s.held(n) {
		return n, 0, false
	}
	since := v.ReceivedAt(n)
	if !v.InFlow(n) && !s.settings.Recorded {
		since = since.Add(s.settings.Linger)
	}
	return n, since, true
}

// held reports whether a flow needs n. One that was cut needs no more than where it
// starts.
func (s *Store) held(n trace.Node) bool {
	for in := range s.instancesOf(n) {
		if !in.cut || n == in.origin || n == in.trigger {
			return true
		}
	}
	return false
}
