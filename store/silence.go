package store

import (
	"iter"
	"maps"
	"time"

	"github.com/followspan/followspan/trace"
)

// graceUnknown is how much longer a silence must be where an instance's export
// lag is unknown: SDKs batch for 5 s unless told otherwise.
const graceUnknown = 5 * time.Second

// quiet is how long nothing must have come before an instance without open edges
// counts as complete.
func (s *Store) quiet(in *instance) time.Duration {
	return enough(in.of.Timing.Quiet, s.parties(in))
}

// enough is how long a silence must be, which is at least so long: twice the longest export
// lag of those who took part. Where nobody did but followspan itself, nothing is known of
// any lag.
func enough(least time.Duration, parties iter.Seq[*process]) time.Duration {
	longest, grace, count := time.Duration(0), time.Duration(0), 0
	for p := range parties {
		if p.own {
			continue
		}
		count++
		longest = max(longest, p.lag.Most)
		if p.lag.Unknown {
			grace = graceUnknown
		}
	}
	if count == 0 {
		grace = graceUnknown
	}
	return max(least, 2*longest) + grace
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
	return s.silentIn(s.lastNews)
}

// ArrivedIn is likewise how long until everything can be taken to have arrived that was done
// by then. Zero: it has, or the run started everybody who sends spans, and takes what they
// still have when it stops them.
func (s *Store) ArrivedIn(by time.Time) time.Duration {
	s.enter()
	defer s.mu.Unlock()
	if s.startedAll() {
		return 0
	}
	return s.silentIn(by)
}

func (s *Store) silentIn(since time.Time) time.Duration {
	wanted := enough(trace.DefaultQuiet, maps.Values(s.processes))
	return max(0, wanted-s.settings.Now().Sub(since))
}
