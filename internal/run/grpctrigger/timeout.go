package grpctrigger

import (
	"context"
	"errors"
	"time"

	"github.com/followspan/followspan/internal/run"
)

// errTimeUp is the cause of a context's end by withTimeout.
var errTimeUp = errors.New("the time is up")

// withTimeout ends ctx after d by the given clock. It sets no deadline, so the
// server is not told of it: were it, who gave up first would be a matter of luck.
func withTimeout(ctx context.Context, clock run.Clock, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, end := context.WithCancelCause(ctx)
	stop := clock.AfterFunc(d, func() { end(errTimeUp) })
	return ctx, func() {
		stop()
		end(context.Canceled)
	}
}
