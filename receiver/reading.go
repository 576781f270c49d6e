package receiver

import (
	"fmt"
	"sync"
	"time"
)

// reading knows the gRPC requests that are being read. Each has reserved what the
// largest takes, so a few that never come to their end would keep all others out.
type reading struct {
	mu  sync.Mutex
	all map[*reader]struct{}
}

type reader struct {
	from  source
	since time.Time
}

func (r *reading) begin(from source) *reader {
	one := &reader{from, time.Now()}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all == nil {
		r.all = map[*reader]struct{}{}
	}
	r.all[one] = struct{}{}
	return one
}

func (r *reading) end(one *reader) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.all, one)
}

// longer are those that have taken longer than d.
func (r *reading) longer(d time.Duration) (slow []*reader) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for one := range r.all {
		if time.Since(one.since) > d {
			slow = append(slow, one)
		}
	}
	return slow
}

// read reads a gRPC request, and cuts the connection of a sender that takes too
// long: grpc-go has no deadline for reading.
func (s *Server) read(receive func(any) error, from source) (m message, err error) {
	one := s.reading.begin(from)
	defer s.reading.end(one)
	slow := time.AfterFunc(s.settings.ReadTimeout, func() { s.cut(one) })
	defer slow.Stop()
	return m, receive(&m)
}

// cutSlow cuts the connections of those whom others have to wait for.
func (s *Server) cutSlow() {
	for _, one := range s.reading.longer(queueTime / 2) {
		s.cut(one)
	}
}

func (s *Server) cut(one *reader) {
	s.hint("slow "+one.from.host(), fmt.Sprintf("%s began a request and did not finish it within %v: its connection was cut",
		one.from.address, time.Since(one.since).Round(100*time.Millisecond)))
	s.split.cut(one.from.address)
}
