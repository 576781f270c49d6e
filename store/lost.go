package store

import (
	"cmp"
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
		s.addLoss(l)
	}
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

// lostTo is what was refused while an instance was under way.
func (s *Store) lostTo(in *instance) (out []trace.Loss) {
	began := s.began(in)
	for _, l := range s.lost {
		if l.to >= began && (in.ended == 0 || l.from <= in.ended) {
			out = append(out, trace.Loss{What: l.what, Count: l.count})
		}
	}
	return out
}

// began is when the first span of an instance may have arrived: the origin, which
// opens it, may well be the last.
func (s *Store) began(in *instance) trace.Time {
	began := in.w.Record().Started
	if v := s.graph.View(); in.state.Origin != trace.None && in.of.Opens != trace.OpensByTrigger {
		origin := v.Span(in.state.Origin)
		began = min(began, began.Add(-origin.End().Sub(origin.Start())))
	}
	if in.of.Opens == trace.OpensBySession {
		return 0
	}
	return min(began, cmp.Or(in.earliest, began))
}
