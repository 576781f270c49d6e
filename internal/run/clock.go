package run

import (
	"context"
	"errors"
	"time"
)

// Clock is where the run reads the time and waits for it to pass. It may be
// used concurrently. Tests pass one that they move by hand.
type Clock interface {
	Now() time.Time
	// AfterFunc calls f in its own goroutine once d has passed. The returned
	// function prevents that, unless it has happened already.
	AfterFunc(d time.Duration, f func()) (cancel func())
}

// SystemClock is the clock of the machine.
type SystemClock struct{}

// Now returns the present, with a monotonic reading.
func (SystemClock) Now() time.Time { return time.Now() }

// AfterFunc is that of package time.
func (SystemClock) AfterFunc(d time.Duration, f func()) func() {
	t := time.AfterFunc(d, f)
	return func() { t.Stop() }
}

// after returns a channel that closes once d has passed.
func after(clock Clock, d time.Duration) (passed <-chan struct{}, cancel func()) {
	done := make(chan struct{})
	return done, clock.AfterFunc(d, func() { close(done) })
}

// pause waits for d and reports true, or false if done closed first.
func pause(clock Clock, d time.Duration, done <-chan struct{}) bool {
	passed, cancel := after(clock, d)
	defer cancel()
	select {
	case <-passed:
		return true
	case <-done:
		return false
	}
}

// errTimeUp is the cause of a context's end by withTimeout.
var errTimeUp = errors.New("the time is up")

// withTimeout is context.WithTimeout by the given clock, except that the cause
// is errTimeUp.
func withTimeout(ctx context.Context, clock Clock, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, end := context.WithCancelCause(ctx)
	stop := clock.AfterFunc(d, func() { end(errTimeUp) })
	return ctx, func() {
		stop()
		end(context.Canceled)
	}
}
