package receiver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sync/semaphore"
)

// errBusy is why a request is refused that would be taken a little later.
var errBusy = errors.New("too much at once")

// queueTime is how long a request waits for others to make room for its bytes.
const queueTime = time.Second

// inFlight bounds the bytes of all requests that are being read or decoded.
type inFlight struct {
	most    int
	room    *semaphore.Weighted
	relieve func() // called when requests have waited for long: makes room if it can
}

func newInFlight(most int, relieve func()) *inFlight {
	return &inFlight{most, semaphore.NewWeighted(int64(most)), relieve}
}

// reservation is a request's part of what may be in flight.
type reservation struct {
	of   *inFlight
	held int
}

// grow makes the reservation n bytes, after waiting for a moment if need be. It
// fails with errBusy, or when ctx ends.
func (r *reservation) grow(ctx context.Context, n int) error {
	if n <= r.held {
		return nil
	}
	more := int64(n - r.held)
	if !r.of.room.TryAcquire(more) && !r.of.wait(ctx, more) {
		r.of.relieve()
		if !r.of.wait(ctx, more) {
			return cmp.Or(ctx.Err(), fmt.Errorf("%w: %d bytes of requests are under way", errBusy, r.of.most))
		}
	}
	r.held = n
	return nil
}

// wait reports whether there was room in time.
func (f *inFlight) wait(ctx context.Context, bytes int64) bool {
	ctx, cancel := context.WithTimeout(ctx, queueTime)
	defer cancel()
	return f.room.Acquire(ctx, bytes) == nil
}

// shrink gives back what is beyond n bytes.
func (r *reservation) shrink(n int) {
	if n < r.held {
		r.of.room.Release(int64(r.held - n))
		r.held = n
	}
}

// firstGrowth is what a reader reserves at first; it doubles from there.
const firstGrowth = 64 << 10

// metered reserves what is read from it, before it is read.
type metered struct {
	io.Reader
	ctx  context.Context
	part *reservation
	most int // how much to reserve at most
	read int
}

func (m *metered) Read(p []byte) (int, error) {
	if held := m.part.held; m.read >= held && held < m.most {
		if err := m.part.grow(m.ctx, min(max(firstGrowth, 2*held), m.most)); err != nil {
			return 0, err
		}
	}
	if m.part.held < m.most {
		p = p[:min(len(p), m.part.held-m.read)]
	}
	n, err := m.Reader.Read(p)
	m.read += n
	return n, err
}
