package report

import (
	"testing"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/trace"
)

// One reason for many verdicts is told once, unless everything is asked for.
func TestTogether(t *testing.T) {
	w := newWorld(checkoutSketch, trace.FlowState{})
	var all []assertions.Verdict
	for _, name := range []string{"inventory.before(payment)", "payment.count == 1", "payment.followedBy(email, 2s)"} {
		v := w.failed(name, assertions.Evidence{
			Why: "it holds for what arrived, but not everything arrived: nobody consumed the message of checkout/send orders",
			Try: []string{"raise timing.deadline if it only came late"},
		})
		v.Outcome = assertions.Inconclusive
		all = append(all, v)
	}
	golden(t, "together.txt", textOf(t, w.result(append(w.good(), all...)...), TextSettings{}))
	golden(t, "together-verbose.txt", textOf(t, w.result(append(w.good(), all...)...), TextSettings{Verbose: true}))
}
