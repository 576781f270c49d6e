package receiver

import (
	"context"
	"runtime"
	"sync"

	"github.com/followspan/followspan/internal/otlp"
	"github.com/followspan/followspan/trace"
)

// shards are the decoders that work at the same time, one a processor. Each writes
// to a block of its own, so the one that was used last comes first: as many blocks
// are begun as requests were ever decoded at once.
type shards struct {
	limits otlp.Limits
	turns  chan struct{} // as many as may work at the same time

	mu   sync.Mutex
	idle []*shard // the one that was used last at the end
}

type shard struct {
	builder trace.Builder
	decoder *otlp.Decoder
}

func newShards(l otlp.Limits) *shards {
	return &shards{limits: l, turns: make(chan struct{}, runtime.GOMAXPROCS(0))}
}

// decode writes the request with a free shard, once there is one.
func (p *shards) decode(ctx context.Context, body []byte, f format) ([]trace.Span, []otlp.Refusal, error) {
	select {
	case p.turns <- struct{}{}:
		defer func() { <-p.turns }()
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	sh := p.take()
	spans, refusals, err := sh.decode(body, f)
	p.put(sh) // not after a panic, which may have left the builder half written
	return spans, refusals, err
}

func (p *shards) take() *shard {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.idle) - 1
	if last < 0 {
		sh := &shard{}
		sh.decoder = otlp.NewDecoder(&sh.builder, p.limits)
		return sh
	}
	sh := p.idle[last]
	p.idle = p.idle[:last]
	return sh
}

func (p *shards) put(sh *shard) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, sh)
}

func (s *shard) decode(body []byte, f format) ([]trace.Span, []otlp.Refusal, error) {
	decode := s.decoder.Protobuf
	if f == jsonFormat {
		decode = s.decoder.JSON
	}
	refusals, err := decode(body)
	if err != nil {
		s.builder.Rollback()
		return nil, nil, err
	}
	return s.builder.Commit(), refusals, nil
}
