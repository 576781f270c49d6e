package store

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/followspan/followspan/trace"
)

const (
	// fullBatch is the least that counts as a full batch; SDKs send 512 unless told
	// otherwise.
	fullBatch = 100
	// sdkQueue is how many spans an SDK's queue holds unless told otherwise
	// (OpenTelemetry specification, OTEL_BSP_MAX_QUEUE_SIZE). What ends while it is full
	// is dropped, and nobody is told.
	sdkQueue = 2048
)

// queue is what the requests of a process show of its SDK's queue.
type queue struct {
	from   trace.Time // since when spans were in it, by the receiver's clock
	told   trace.Time // up to when flows know since then that it may have been full
	drains []drain    // full batches back to back
	before int        // spans in the last request
	twice  bool       // two full batches came back to back, some time
}

// drain is a full batch, and how many spans were queued when it came: those in it
// and, as later batches show, behind it.
type drain struct {
	at    trace.Time
	spans int
}

// sent takes a request into account, in which so many spans ended from oldest on.
// It reports whether the queue may have been full.
func (q *queue) sent(spans int, oldest, at trace.Time) (over bool) {
	if len(q.drains) == 0 {
		q.from, q.told = oldest, 0
	}
	waited := q.drains[:0]
	for _, d := range q.drains {
		if oldest <= d.at { // It may have been queued then.
			waited = append(waited, drain{d.at, d.spans + spans})
		}
	}
	q.drains = append(waited, drain{at, spans})
	for _, d := range q.drains {
		over = over || d.spans >= sdkQueue
	}
	full := spans >= fullBatch && spans == q.before
	q.twice = q.twice || full && len(q.drains) > 1
	if spans < max(q.before, fullBatch) {
		q.drains = q.drains[:0] // It sent all that it had.
	}
	// What was queued before such a batch was so, too, for no longer.
	for len(q.drains) > 1 && q.drains[1].spans >= sdkQueue {
		q.drains = slices.Delete(q.drains, 0, 1)
	}
	q.before = spans
	return over
}

// queued looks at the queue of a process that sent a request. One that this run
// started has a queue that holds any burst.
func (s *Store) queued(p *process, b trace.Batch) {
	if s.settings.Recorded || p.started || p.own || b.UserAgent != "" && !fromSDK(b.UserAgent) {
		return
	}
	// A clock that is ahead is set right by the shortest lag; one that is behind makes
	// spans look older, which errs on the side of doubt.
	ahead := max(0, -p.leastLag)
	if !p.queue.sent(p.spans, cmp.Or(p.oldest, b.Received).Add(-ahead), b.Received) {
		return
	}
	from := min(p.queue.from, b.Received)
	s.addLoss(lostData{
		what: fmt.Sprintf("spans that the export queue of %s may have dropped: %d and more came in full batches, back to back; raise its OTEL_BSP_MAX_QUEUE_SIZE", p.service, sdkQueue),
		from: from, to: b.Received, count: 1,
	})
	s.doubtSince(max(from, p.queue.told))
	p.queue.told = b.Received
}

// closing says when a flow closed.
type closing struct {
	at   trace.Time
	flow uint32 // its number
}

// doubtSince hands those flows out again that closed at or after a moment.
func (s *Store) doubtSince(from trace.Time) {
	for i := len(s.closings) - 1; i >= 0 && s.closings[i].at >= from; i-- {
		if in := s.instances[s.closings[i].flow]; in != nil {
			s.markDirty(in)
		}
	}
}

// bookClosing remembers when a flow closed. Most of those that were evicted since are
// sorted out.
func (s *Store) bookClosing(in *instance) {
	if s.settings.Recorded {
		return // Its times say nothing of queues.
	}
	if len(s.closings) >= 2*len(s.instances)+fewStrays {
		s.closings = slices.DeleteFunc(s.closings, func(c closing) bool { return s.instances[c.flow] == nil })
	}
	s.closings = append(s.closings, closing{in.ended, in.w.Record().Number()})
}
