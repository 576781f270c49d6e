package assertions_test

import (
	"testing"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/store/storetest"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

// Lists are in the order of start and are compared when they are complete, also
// where the prefix that closes the flow brings a span that starts before others.
func TestClosingBringsSpans(t *testing.T) {
	suite, problems := assertions.Load(diag.NewSource("f.yaml", `version: 1
spans:
  call: kind == "client"
flows:
  f:
    origin: name == "order"
    expect:
      - map(call, .name) == ["a", "b", "c"]
      - map(sortBy(call, .start), .name) == ["a", "b", "c"]
      - distinct(call, .name) == ["a", "b", "c"]
      - call.count == 3
`), assertions.Options{})
	if problems.HasErrors() {
		t.Fatal(diag.Style{}.RenderAll(problems))
	}
	arrivals := sketch.MustParse(`
shop  order  0..100ms
  shop  c  client  30..35ms  at=1ms
  shop  b  client  20..25ms  at=2ms
  shop  a  client  10..15ms  at=200ms`).Arrivals
	p := storetest.New(suite.Memberships(), store.Settings{})
	in := suite.Open("f")
	for _, a := range arrivals[:3] {
		for _, f := range p.Arrive(a) {
			if got := in.Evaluate(f); len(got) > 0 {
				t.Errorf("decided early: %s is %v", got[0].Assertion.Name, got[0].Outcome)
			}
		}
	}
	if err := p.Store.Consume(t.Context(), trace.Batch{Spans: []trace.Span{arrivals[3].Span}}); err != nil {
		t.Fatal(err)
	}
	verdicts := in.Evaluate(p.Close(trace.ByEndOfRecording)[0])
	if len(verdicts) != 4 {
		t.Errorf("%d verdicts at closing, want 4", len(verdicts))
	}
	for _, v := range verdicts {
		if v.Outcome != assertions.Pass {
			t.Errorf("%s is %v: %s", v.Assertion.Name, v.Outcome, v.Explanation().Why)
		}
	}
}
