package store

import (
	"time"

	"github.com/followspan/followspan/trace"
)

// graceUnknown is how much longer a silence must be where an instance's export
// lag is unknown: SDKs batch for 5 s unless told otherwise.
const graceUnknown = 5 * time.Second

func (s *Store) observeLag(span trace.Span, at trace.Time) {
	key := processOf(span)
	l := s.lags[key]
	l.Observe(span.End(), at)
	s.lags[key] = l
}

// quiet is how long nothing must have come before an instance without open edges
// counts as complete: twice the longest export lag of those who took part.
func (s *Store) quiet(in *instance) time.Duration {
	longest, grace := time.Duration(0), time.Duration(0)
	for p := range in.processes {
		l := s.lags[p]
		longest = max(longest, l.Most)
		if l.Unknown {
			grace = graceUnknown
		}
	}
	return max(in.of.Timing.Quiet, 2*longest) + grace
}

func processOf(s trace.Span) string {
	if p := s.Resource().Process(); p != "" {
		return p
	}
	return s.Service()
}

// SilentIn is how long nothing more must arrive until everything that was sent
// can be taken to have arrived: the default quiet, or twice the longest export
// lag, and more where nothing came or a lag is unknown. Zero: it is silent now.
func (s *Store) SilentIn() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	longest, grace := time.Duration(0), time.Duration(0)
	if len(s.lags) == 0 {
		grace = graceUnknown
	}
	for _, l := range s.lags {
		longest = max(longest, l.Most)
		if l.Unknown {
			grace = graceUnknown
		}
	}
	enough := max(trace.DefaultQuiet, 2*longest) + grace
	return max(0, enough-s.settings.Now().Sub(s.lastNews))
}
