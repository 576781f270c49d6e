package assertions

import "github.com/followspan/followspan/trace"

// Naively judges a flow as if nobody had looked at it before: every selector is
// asked about every span, none is filed under a service, no closure remembers a
// span, and no verdict latches. It is what incremental judging is measured
// against, and must agree with.
func (s *Suite) Naively(flow string, f trace.Flow) []Verdict {
	in := s.Open(flow)
	for _, t := range in.sets {
		plan := *t.plan
		plan.service = ""
		t.plan = &plan
	}
	for _, k := range in.states {
		k.tallies, k.guardTallies = nil, nil
	}
	return in.Evaluate(f)
}

// Spent is how many steps judging took so far.
func (in *Instance) Spent() int { return in.frame.Spent() }
