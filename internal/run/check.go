package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
)

// CheckSettings of a check.
type CheckSettings struct {
	Inputs []Input
	// Store was made with RecordedMemberships(Inputs) and RecordedStore.
	Store *store.Store
	// Read hands all batches to take until the recordings end, take fails, or ctx ends.
	// An error of ctx means that the rest was not read; one of take is store.ErrFull.
	Read func(ctx context.Context, take func(trace.Batch) error) error
	// Clock says how long the check took; nil is SystemClock.
	Clock Clock
}

// RecordedStore returns the settings of a store for recorded spans. No time passes
// in it: what is in a recording has arrived, and what is not never will.
func RecordedStore(bytes int64) store.Settings {
	return store.Settings{Bytes: bytes, Recorded: true, Now: func() time.Time { return time.Unix(0, int64(recordedTime)) }}
}

// recordedTime is when everything in a recording was received.
const recordedTime trace.Time = 1

// Record puts a batch of a recording into a [RecordedStore].
func Record(ctx context.Context, s *store.Store, b trace.Batch) error {
	b.Received = recordedTime
	return s.Consume(ctx, b)
}

// RecordedMemberships is [Memberships] for recordings, which hold no sign of a
// trigger. A flow with a trigger starts where its origin says; without an origin
// every trace is an instance of it, which is an error if there are several such flows.
func RecordedMemberships(inputs []Input) ([]trace.Membership, error) {
	all := Memberships(inputs)
	var whole []*trace.Membership
	for i := range all {
		switch m := &all[i]; {
		case m.Opens != trace.OpensByTrigger:
		case m.Origin != nil:
			m.Opens = trace.OpensBySpan
		default:
			m.Opens = trace.OpensByTrace
			whole = append(whole, m)
		}
	}
	if len(whole) > 1 {
		return nil, fmt.Errorf("flows %s and %s: nothing in a recording tells which trace each trigger made; add an origin to them, or choose one by --flow", whole[0].Flow, whole[1].Flow)
	}
	return all, nil
}

// Check judges recorded traces. Flows close when the recordings end, and before that
// only where there is not memory enough for all. An error is one of Read; when ctx
// ends, it judges what was read and says so.
func Check(ctx context.Context, s CheckSettings) (*Result, error) {
	r := newRunner(Settings{Inputs: s.Inputs, Store: s.Store, Clock: s.Clock})
	r.recorded = true
	if err := s.Read(ctx, func(b trace.Batch) error { return r.take(ctx, b) }); err != nil && ctx.Err() == nil {
		return nil, err
	}
	whole := context.WithoutCancel(ctx)
	if r.interrupted = ctx.Err() != nil; r.interrupted {
		rest := trace.Batch{Refused: []trace.Refusal{{Reason: "the rest of the recordings, which was not read"}}}
		_ = Record(whole, s.Store, rest) // it takes no memory, so there is room
	}
	s.Store.Close(trace.ByEndOfRecording)
	r.judgeChanged(whole)
	r.doubtEarly()
	return r.result(), nil
}

// take puts a batch into the store, if need be with room that flows make which are
// judged before the recordings end.
func (r *runner) take(ctx context.Context, b trace.Batch) error {
	err := Record(ctx, r.Store, b)
	for errors.Is(err, store.ErrFull) && !errors.Is(err, store.ErrTooLarge) && r.Store.CloseOldest() {
		now, cancel := context.WithCancel(ctx)
		cancel()
		r.judgeChanged(now)
		err = Record(ctx, r.Store, b)
	}
	return err
}

// judgeChanged judges what has changed, until nothing more has and ctx is done, or
// the store is closed.
func (r *runner) judgeChanged(ctx context.Context) {
	for {
		f, err := r.Store.Next(ctx)
		if err != nil {
			return
		}
		r.judge(f)
	}
}

// doubtEarly takes into account that something was left out of the recordings: what
// a flow that was judged early misses of it nobody knows.
func (r *runner) doubtEarly() {
	if r.Store.Stats().Lost == 0 {
		return
	}
	for _, j := range r.byRecord {
		if j.final && j.latest.Reason() == trace.ByMemory {
			assertions.Doubt(j.verdicts, "parts of the recordings could not be read, after the flow had been judged early to make room")
		}
	}
}
