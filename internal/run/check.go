package run

import (
	"context"
	"fmt"
	"time"

	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
)

// CheckSettings of a check.
type CheckSettings struct {
	Inputs []Input
	// Store was made with RecordedMemberships(Inputs) and RecordedStore.
	Store *store.Store
	// Read feeds the store until the recordings end, or ctx does. An error of ctx
	// means that the rest was not read.
	Read func(ctx context.Context) error
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

// Recorded makes a batch of a recording what a [RecordedStore] takes.
func Recorded(b trace.Batch) trace.Batch {
	b.Received = recordedTime
	return b
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

// Check judges recorded traces. Every flow closes when the recordings end. An error
// is one of Read; when ctx ends, it judges what was read and says so.
func Check(ctx context.Context, s CheckSettings) (*Result, error) {
	r := newRunner(Settings{Inputs: s.Inputs, Store: s.Store, Clock: s.Clock})
	r.recorded = true
	if err := s.Read(ctx); err != nil && ctx.Err() == nil {
		return nil, err
	}
	if r.interrupted = ctx.Err() != nil; r.interrupted {
		rest := trace.Batch{Refused: []trace.Refusal{{Reason: "the rest of the recordings, which was not read"}}}
		_ = s.Store.Consume(context.WithoutCancel(ctx), Recorded(rest)) // it takes no memory, so there is room
	}
	s.Store.Close(trace.ByEndOfRecording)
	r.judgeRest()
	return r.result(), nil
}

// judgeRest judges what changed until the store was closed.
func (r *runner) judgeRest() {
	for f := range r.receive(context.Background()) {
		r.judge(f)
	}
}
