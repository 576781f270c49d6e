package assertions_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/internal/diag"
)

// Invariants are judged per trace, and an assertion of theirs per what it says.
func TestInvariants(t *testing.T) {
	suite, problems := assertions.Load(diag.NewSource("f.yaml", `version: 1
invariants:
  never:
    - service == "payment" and isRoot
  expect:
    - none(spans, .isOrphan)
    - that: len(distinct(spans, .deployment.environment.name)) == 1
      per: session
    - that: spans.count == 2
      per: job.id
`), assertions.Options{})
	if len(problems) > 0 {
		t.Fatal(diag.Style{}.RenderAll(problems))
	}
	got := play(t, suite, `
resource shop  deployment.environment.name=test
resource payment  deployment.environment.name=prod
shop     order   0..10ms  job.id=7
  stock  reserve  2..3ms
payment  charge  5..6ms   job.id=7
shop     orphan  1..2ms   internal parent=missing job.id=8
`, inTurn)
	var lines []string
	for _, v := range got {
		lines = append(lines, v.Assertion.Flow+" "+v.Instance+": "+v.Assertion.Name+": "+v.Outcome.String())
	}
	slices.Sort(lines)
	want := []string{
		`invariants 01000000: never service == "payment" and isRoot: pass`,
		`invariants 01000000: none(spans, .isOrphan): pass`,
		`invariants 02000000: never service == "payment" and isRoot: fail`,
		`invariants 02000000: none(spans, .isOrphan): pass`,
		`invariants 03000000: never service == "payment" and isRoot: inconclusive`,
		`invariants 03000000: none(spans, .isOrphan): fail`,
		`invariants per job.id 7: spans.count == 2: pass`,
		`invariants per job.id 8: spans.count == 2: fail`,
		`invariants per session session: len(distinct(spans, .deployment.environment.name)) == 1: fail`,
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("verdicts (-want +got)\n%s", diff)
	}
}

// Above a request that enters a trace whoever called is outside of what is observed, but
// not where the trace has a root: then a span in between is missing.
func TestInvariantsOverEntries(t *testing.T) {
	const entry = "payment  charge  server  5..6ms  parent=missing  trace=#shop\n"
	tests := map[string]struct {
		text, want string
	}{
		"a trace that was entered":              {"shop  order  server  0..10ms  #shop parent=missing\n", "pass"},
		"entered twice":                         {"shop  order  server  0..10ms  #shop parent=missing\n" + entry, "pass"},
		"with a root, and entered all the same": {"shop  order  server  0..10ms  #shop\n" + entry, "fail"},
	}
	for _, per := range []string{"trace", "session"} {
		for name, tt := range tests {
			suite := mustLoad(t, "version: 1\ninvariants: {per: "+per+", expect: [\"none(spans, .isOrphan)\"]}")
			for _, seed := range []uint64{1, 2, 3} {
				for _, v := range play(t, suite, tt.text, shuffled(rand.New(rand.NewPCG(seed, 0)))) {
					if got := v.Outcome.String(); got != tt.want {
						t.Errorf("per %s, %s, seed %d: %s, want %s", per, name, seed, got, tt.want)
					}
				}
			}
		}
	}
}

// Spans are of one instance if all of their values is equal, not what is shown of it.
func TestInvariantsPerLongValue(t *testing.T) {
	suite := mustLoad(t, "version: 1\ninvariants: {per: job.ids, expect: [spans.count == 1]}")
	got := play(t, suite, `
shop  one  0..10ms    job.ids=[1,2,3,4,5,6]
shop  two  20..30ms   job.ids=[1,2,3,4,5,7]
shop  six  40..50ms   job.ids=x
`, inTurn)
	if len(got) != 3 {
		t.Errorf("%d instances, want 3", len(got))
	}
}
