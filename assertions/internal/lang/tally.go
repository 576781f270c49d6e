package lang

import "github.com/followspan/followspan/trace"

// Tally is what a condition said of the members of a set, one after the other.
// Each member is asked once, and again only while it is undecided.
type Tally struct {
	Yes     []trace.Node
	No      int
	Pending []trace.Node
	Doubt   *Doubt // of the pending ones
}

func (e *Expr) cached(f *Frame) *tally { return nil }
