// Package watch tells of traces as they arrive.
package watch

import (
	"context"
	"errors"
	"time"

	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
)

// Membership makes an instance of every trace; a store to be watched has it.
var Membership = trace.Membership{Flow: "trace", Opens: trace.OpensByTrace, Scope: trace.ScopeTrace, Hasty: true}

// Quiet is how long nothing must come of a trace that lacks spans until it is told
// of all the same.
const Quiet = 3 * time.Second

// remembered is how many traces are known to have been told of.
const remembered = 100_000

// Traces tells of every trace once the store says that it is complete or nothing
// came for a while, and once more when spans of its own came late: that many. It
// returns when the store is closed and everything was told, or with the context's error.
func Traces(ctx context.Context, st *store.Store, tell func(f trace.Flow, late int)) error {
	w := watcher{told: map[*trace.FlowRecord]counts{}, latest: map[*trace.FlowRecord]trace.Flow{}, tell: tell}
	w.release = func(f trace.Flow) {
		st.CloseFlow(f, trace.BySilence)
		st.Release(f)
	}
	for {
		f, err := w.next(ctx, st)
		switch {
		case errors.Is(err, store.ErrClosed):
			w.flush(len(w.waiting))
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil:
			w.changed(f)
		}
		w.flush(w.due())
	}
}

// watcher knows which traces are to be told of.
type watcher struct {
	tell    func(trace.Flow, int)
	release func(trace.Flow) // what was told of may make room
	told    map[*trace.FlowRecord]counts
	latest  map[*trace.FlowRecord]trace.Flow
	waiting []change // in the order of time
}

// counts are how many spans were known of a trace: with what it led to in others, and
// its own.
type counts struct{ all, own int }

func own(f trace.Flow) (n int) {
	for i := range f.Len() {
		if s := f.Span(f.Member(i)); s.Evicted() || s.TraceID() == f.TraceID {
			n++
		}
	}
	return n
}

// change is that something came of a trace. A later one makes it void.
type change struct {
	of   *trace.FlowRecord
	len  int // of the trace then
	when time.Time
}

// next waits for a change, until something becomes due.
func (w *watcher) next(ctx context.Context, st *store.Store) (trace.Flow, error) {
	if len(w.waiting) > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, w.waiting[0].when.Add(Quiet))
		defer cancel()
	}
	return st.Next(ctx)
}

// changed tells of a complete trace, and lets others wait.
func (w *watcher) changed(f trace.Flow) {
	if f.Evicted() {
		return // it was told of, and made room
	}
	if f.Len() == w.told[f.FlowRecord].all {
		w.release(f) // it has only become complete, or closed
		return
	}
	w.latest[f.FlowRecord] = f
	if f.State() == trace.Complete {
		w.say(f.FlowRecord)
		return
	}
	w.waiting = append(w.waiting, change{f.FlowRecord, f.Len(), time.Now()})
}

// due is how many changes have waited long enough.
func (w *watcher) due() (n int) {
	for n < len(w.waiting) && time.Since(w.waiting[n].when) >= Quiet {
		n++
	}
	return n
}

// flush tells of the first n changes, but for those that others made void.
func (w *watcher) flush(n int) {
	for _, c := range w.waiting[:n] {
		if f, ok := w.latest[c.of]; ok && f.Len() == c.len {
			w.say(c.of)
		}
	}
	w.waiting = w.waiting[n:]
}

func (w *watcher) say(of *trace.FlowRecord) {
	f, before := w.latest[of], w.told[of]
	delete(w.latest, of)
	if len(w.told) >= remembered {
		clear(w.told)
	}
	now := counts{all: f.Len(), own: own(f)}
	w.told[of] = now
	switch {
	case before.all == 0:
		w.tell(f, 0)
	case now.own > before.own:
		w.tell(f, now.own-before.own)
	}
	w.release(f)
}
