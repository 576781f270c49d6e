package receiver

import (
	"context"
	"fmt"
	"strings"

	"github.com/followspan/followspan/internal/otlp"
	"github.com/followspan/followspan/trace"
)

// signal is what a request carries.
type signal uint8

const (
	unknownSignal signal = iota
	traces
	metrics
	logs
	profiles
)

// format is the encoding of a request and of its answer.
type format uint8

const (
	protobuf format = iota
	jsonFormat
)

// export decodes a traces request and hands its spans to the Sink. It keeps
// nothing of body. Panics, such as the Sink's, pass through it to the handlers.
func (s *Server) export(ctx context.Context, body []byte, f format, from source) (partial, *failure) {
	spans, refusals, err := s.shards.decode(ctx, body, f)
	if err != nil {
		return partial{}, undecodable(err)
	}
	var lagging []Sender
	if len(spans)+len(refusals) > 0 {
		b := s.batch(from)
		b.Spans, b.Refused = spans, refused(refusals)
		if err := s.sink.Consume(ctx, b); err != nil {
			return partial{}, unsinkable(err)
		}
		lagging = s.took(b, from)
	}
	if len(refusals) > 0 {
		s.stats.refuseSpans(refusals, from.host())
	}
	p := rejected(refusals)
	for _, sender := range lagging {
		s.advise(&p, lagAdvice(sender))
	}
	return p, nil
}

func (s *Server) batch(from source) trace.Batch {
	return trace.Batch{Received: trace.TimeOf(s.settings.Now()), Sender: from.address, UserAgent: from.agent}
}

func refused(refusals []otlp.Refusal) (out []trace.Refusal) {
	for _, r := range refusals {
		out = append(out, trace.Refusal{Service: r.Service, Reason: string(r.Reason), Spans: r.Spans})
	}
	return out
}

// lose tells the Sink of a traces request that was refused whole and that no retry
// will bring again.
func (s *Server) lose(ctx context.Context, f *failure, from source) {
	if !f.loses() {
		return
	}
	b := s.batch(from)
	b.Refused = []trace.Refusal{{Reason: f.reason}}
	// The Sink has nothing to keep: an error of it changes nothing for the sender.
	_ = s.sink.Consume(ctx, b)
}

// took counts what the Sink took.
func (s *Server) took(b trace.Batch, from source) (lagging []Sender) {
	retrying := s.stats.took(len(b.Spans), from.host())
	return s.stats.senders.took(b, from, retrying)
}

// refuse counts the failure, completes it and returns it.
func (s *Server) refuse(f *failure, from source) *failure {
	f.retry = s.settings.RetryAfter
	s.stats.refuseRequest(f.reason, from.host())
	if f.hint != "" {
		s.hint(f.reason+" "+from.host(), fmt.Sprintf("from %s: %s", from.address, f.hint))
	}
	return f
}

// rejected is the partial success that tells the sender of spans that were left out.
func rejected(refusals []otlp.Refusal) partial {
	var p partial
	var words []string
	for _, r := range refusals {
		p.rejected += r.Spans
		words = append(words, fmt.Sprintf("%d spans of service %q: %s", r.Spans, r.Service, r.Reason))
		if len(words) == 10 {
			words = append(words, "and others")
			break
		}
	}
	for _, r := range refusals[min(10, len(refusals)):] {
		p.rejected += r.Spans
	}
	p.message = strings.Join(words, "; ")
	return p
}
