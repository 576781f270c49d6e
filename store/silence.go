package store

import (
	"time"

	"github.com/followspan/followspan/trace"
)

// graceUnknown is how much longer a silence must be where an instance's export
// lag is unknown: SDKs batch for 5 s unless told otherwise.
const graceUnknown = 5 * time.Second

// quiet is how long nothing must have come before an instance without open edges
// counts as complete: twice the longest export lag of those who took part. Where
// nobody did but followspan itself, nothing is known of any lag.
func (s *Store) quiet(in *instance) time.Duration {
	longest, grace, parties := time.Duration(0), time.Duration(0), 0
	for p := range s.parties(in) {
		if p.own {
			continue
		}
		parties++
		longest = max(longest, p.lag.Most)
		if p.lag.Unknown {
			grace = graceUnknown
		}
	}
	if parties == 0 {
		grace = graceUnknown
	}
	return max(in.of.Timing.Quiet, 2*longest) + grace
}

// silence is quiet, and longer for one that asked somebody of whom nothing is known.
func (s *Store) silence(in *instance) time.Duration {
	quiet := s.quiet(in)
	if quiet < graceUnknown && s.meetsStranger(in) {
		quiet += graceUnknown
	}
	return quiet
}

// SilentIn is how long nothing more must arrive until everything that was sent
// can be taken to have arrived: the default quiet, or twice the longest export
// lag, and more where nothing came or a lag is unknown. Zero: it is silent now.
func (s *Store) SilentIn() time.Duration {
	s.enter()
	defer s.mu.Unlock()
	longest, grace, parties := time.Duration(0), time.Duration(0), 0
	for _, p := range s.processes {
		if p.own {
			continue
		}
		parties++
		longest = max(longest, p.lag.Most)
		if p.lag.Unknown {
			grace = graceUnknown
		}
	}
	if parties == 0 {
		grace = graceUnknown
	}
	enough := max(trace.DefaultQuiet, 2*longest) + grace
	return max(0, enough-s.settings.Now().Sub(s.lastNews))
}
