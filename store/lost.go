package store

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/followspan/followspan/trace"
)

// lostData is what a sender sent and nobody kept.
type lostData struct {
	what  string
	count int
	from  trace.Time // the first time
	to    trace.Time // the last time
}

// maxLost is how many losses are told apart; more are counted for one row.
const maxLost = 256

// lose remembers what was refused for good. Of which flow it was nobody can tell,
// so it is a loss to all that were under way.
func (s *Store) lose(b trace.Batch) {
	for _, r := range b.Refused {
		l := lostData{what: "requests refused: " + r.Reason, count: 1, from: b.Received, to: b.Received}
		switch {
		case s.settings.Recorded:
			l.what, l.count = r.Reason, max(r.Spans, 1)
		case r.Spans > 0:
			l.what, l.count = "spans of "+cmp.Or(strings.Clone(r.Service), "a service without a name")+" refused: "+r.Reason, r.Spans
		}
		s.stats.Lost += l.count
		s.addLoss(l)
	}
}

// CutOff says that the journal which is replayed ends too early: what it would have
// told behind that is a loss to all flows that are open.
func (s *Store) CutOff() {
	s.enter()
	defer s.mu.Unlock()
	now := trace.TimeOf(s.settings.Now())
	s.stats.Lost++
	s.addLoss(lostData{what: "what stood behind the place where the recording of the run was cut off", count: 1, from: now, to: now})
}

// lossGap is how far apart two refusals may lie to count as one stretch of time.
const lossGap = time.Second

func (s *Store) addLoss(l lostData) {
	for i := range s.lost {
		if known := &s.lost[i]; known.what == l.what && l.from.Sub(known.to) < lossGap {
			known.to, known.count = l.to, known.count+l.count
			return
		}
	}
	if len(s.lost) < maxLost {
		s.lost = append(s.lost, l)
		return
	}
	rest := &s.lost[maxLost-1]
	rest.what, rest.to, rest.count = "data refused, of many kinds", l.to, rest.count+l.count
}

// lostTo is what was refused while an instance was under way, which it also was after it
// closed if more came, or after that if it left messages behind, which somebody may have
// consumed since.
func (s *Store) lostTo(in *instance) (out []trace.Loss) {
	began, leaves := s.began(in), s.leavesMessages(in)
	for _, l := range s.lost {
		if l.to >= began && (in.ended == 0 || l.from <= max(in.ended, in.news) || leaves) {
			out = append(out, trace.Loss{What: l.what, Count: l.count})
		}
	}
	if n := s.mixedUp(in); n > 0 {
		out = append(out, trace.Loss{What: mixedUp, Count: n})
	}
	return out
}

// lostSince reports whether something was refused when an instance closed, or later, that
// counts.
func (s *Store) lostSince(in *instance) bool {
	leaves := s.leavesMessages(in)
	return slices.ContainsFunc(s.lost, func(l lostData) bool { return l.from == in.ended || l.from > in.ended && leaves })
}

// began is when an instance may have begun: the origin, which opens it, may well arrive
// last. When that started its own clock says, which may be ahead, and is believed as far as
// it makes the flow longer, up to a deadline.
func (s *Store) began(in *instance) trace.Time {
	began := in.w.Record().Started
	if in.of.Opens == trace.OpensBySession {
		return 0
	}
	began = min(began, cmp.Or(in.earliest, began))
	if in.origin != trace.None && in.of.Opens != trace.OpensByTrigger {
		began = min(began, max(s.graph.View().Span(in.origin).Start().Add(-otherClocks), began.Add(-in.of.Timing.Deadline)))
	}
	return began
}
