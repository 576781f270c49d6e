package grpctrigger

import (
	"context"
	"sync/atomic"

	"google.golang.org/grpc/stats"
)

// progress is what came of a call. Its status alone does not tell whether the
// server said it, or gRPC on our side.
type progress struct{ header, trailer atomic.Bool }

type progressKey struct{}

// watch returns the context of a call whose progress is noted.
func watch(ctx context.Context) (context.Context, *progress) {
	p := &progress{}
	return context.WithValue(ctx, progressKey{}, p), p
}

// observer notes the progress of watched calls.
type observer struct{}

// HandleRPC notes the progress.
func (observer) HandleRPC(ctx context.Context, s stats.RPCStats) {
	p, ok := ctx.Value(progressKey{}).(*progress)
	if !ok {
		return
	}
	switch s.(type) {
	case *stats.InHeader:
		p.header.Store(true)
	case *stats.InTrailer:
		p.trailer.Store(true)
	}
}

// TagRPC adds nothing.
func (observer) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

// TagConn adds nothing.
func (observer) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// HandleConn does nothing.
func (observer) HandleConn(context.Context, stats.ConnStats) {}
