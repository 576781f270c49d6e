package receiver

import (
	"cmp"
	"slices"
	"sync"

	"github.com/followspan/followspan/internal/otlp"
)

// Stats counts what a server received since it started.
type Stats struct {
	Requests uint64 // for spans, refused ones included
	Spans    uint64 // that the Sink took
	Metrics  uint64 // requests; accepted and dropped
	Logs     uint64
	Profiles uint64
	Senders  []Sender  // by service and instance
	Refused  []Refused // by reason, service and peer
}

// Refused counts what was not kept for one reason from one sender.
type Refused struct {
	Reason   string
	Service  string // service.name, "" if it could not be read
	Peer     string // the sender's host
	Requests uint64 // that were refused whole
	Spans    uint64 // that were refused while the rest of their request was kept
}

// manySenders is how many rows of senders, and of refusals, are kept apart; later
// ones count for a row without a name.
const manySenders = 1000

type refusal struct{ reason, service, peer string }

type stats struct {
	mu      sync.Mutex
	totals  Stats
	refused map[refusal]*Refused
	senders senders
}

// Stats returns a snapshot, with its rows sorted.
func (s *Server) Stats() Stats {
	senders := s.stats.senders.snapshot()
	s.stats.mu.Lock()
	defer s.stats.mu.Unlock()
	out := s.stats.totals
	out.Senders = senders
	for _, r := range s.stats.refused {
		out.Refused = append(out.Refused, *r)
	}
	slices.SortFunc(out.Refused, func(a, b Refused) int {
		return cmp.Or(cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Service, b.Service), cmp.Compare(a.Peer, b.Peer))
	})
	return out
}

func (s *stats) request(sig signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch sig {
	case traces:
		s.totals.Requests++
	case metrics:
		s.totals.Metrics++
	case logs:
		s.totals.Logs++
	case profiles:
		s.totals.Profiles++
	}
}

// took counts spans, and reports whether the peer was ever asked to retry.
func (s *stats) took(spans int, peer string) (retrying bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.totals.Spans += uint64(spans)
	_, retrying = s.refused[refusal{reason: askedToRetry, peer: peer}]
	return retrying
}

func (s *stats) refuseRequest(reason, peer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.row(refusal{reason, "", peer}).Requests++
}

func (s *stats) refuseSpans(refusals []otlp.Refusal, peer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range refusals {
		s.row(refusal{string(r.Reason), r.Service, peer}).Spans += uint64(r.Spans)
	}
}

func (s *stats) row(key refusal) *Refused {
	if r, ok := s.refused[key]; ok {
		return r
	}
	if len(s.refused) >= manySenders && (key.service != "" || key.peer != "") {
		return s.row(refusal{reason: key.reason})
	}
	if s.refused == nil {
		s.refused = map[refusal]*Refused{}
	}
	r := &Refused{Reason: key.reason, Service: key.service, Peer: key.peer}
	s.refused[key] = r
	return r
}
