package assertions_test

import (
	"strings"
	"testing"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/store/storetest"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

const acrossSuite = `version: 1
spans:
  charge: service == "payment"
flows:
  pay:
    origin: service == "web"
    runs: exactly 3
    across:
      runs: 3
      expect:
        - p95(runs, .duration) < 150ms
        - all(runs, .charge.count == 1)
        - count(runs, .charge.duration > 50ms) <= 1
        - all(runs, .origin.duration < 100ms)
`

func TestAcross(t *testing.T) {
	suite, problems := assertions.Load(diag.NewSource("suite.yaml", acrossSuite), assertions.Options{})
	if problems.HasErrors() {
		t.Fatal(diag.Style{}.RenderAll(problems))
	}
	p := storetest.New(suite.Memberships(), store.Settings{})
	var closed []*assertions.Instance
	for _, a := range sketch.MustParse(`
web  GET /pay  server  0..90ms
  payment  Charge  server  10..80ms
  web  untimed  internal  -1767225600s..-1767225600s  at=20ms
web  GET /pay  server  100..190ms
  payment  Charge  server  110..120ms
web  GET /pay  server  200..390ms
  payment  Charge  server  210..220ms
  payment  Charge  server  230..240ms
`).Arrivals {
		p.Arrive(a)
	}
	var view trace.View
	for _, f := range p.Close(trace.ByEndOfRecording) {
		in := suite.Open(f.Declaration)
		in.Evaluate(f)
		closed, view = append(closed, in), f.View
	}
	var got strings.Builder
	for _, v := range suite.JudgeAcross("pay", closed, 0) {
		write(&got, v)
	}
	write(&got, suite.JudgeRuns("pay", len(closed), view, 0))
	write(&got, suite.JudgeRuns("pay", 2, view, 0))
	write(&got, suite.JudgeRuns("pay", 2, view, 5))
	write(&got, suite.JudgeRuns("pay", 3, view, 5))
	write(&got, suite.JudgeRuns("pay", 4, view, 5))
	const want = `FAIL  p95(runs, .duration) < 150ms
  p95(runs, .duration) is 190ms, less than 150ms allowed
  value: p95(runs, .duration) < 150ms = false (under "<")
  value: p95(runs, .duration) = 190ms (under "p95")
  value: runs = [a run of 90ms, a run of 90ms, a run of 190ms] (under "runs")
  measured: 190ms
  allowed: 150ms

FAIL  all(runs, .charge.count == 1)
  1 of 3 runs does not satisfy this
  at: .charge.count == 1
  value: all(runs, .charge.count == 1) = false (under "all")
  value: runs = [a run of 90ms, a run of 90ms, a run of 190ms] (under "runs")
  a run of 190ms: charge.count is 2

PASS  count(runs, .charge.duration > 50ms) <= 1

FAIL  all(runs, .origin.duration < 100ms)
  1 of 3 runs does not satisfy this
  at: .origin.duration < 100ms
  value: all(runs, .origin.duration < 100ms) = false (under "all")
  value: runs = [a run of 90ms, a run of 90ms, a run of 190ms] (under "runs")
  a run of 190ms: origin.duration is 190ms

PASS  runs exactly 3

FAIL  runs exactly 3
  it happened 2 times, exactly 3 asked
  arrived: 8 spans of payment (4) and web (4)
  it starts with: service == "web"

INCONCLUSIVE  runs exactly 3  [absence unproved]
  it happened 2 times, exactly 3 asked, but not all that was sent or recorded could be taken (5 lost): it may have happened there
  arrived: 8 spans of payment (4) and web (4)
  it starts with: service == "web"

INCONCLUSIVE  runs exactly 3  [absence unproved]
  it happened 3 times, exactly 3 asked, but not all that was sent or recorded could be taken (5 lost): it may have happened there

FAIL  runs exactly 3
  it happened 4 times, exactly 3 asked

`
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}

// What one of the instances lacks, all lack together.
func TestAcrossIsAsGoodAsItsRuns(t *testing.T) {
	suite := mustLoad(t, acrossSuite)
	const good = `
web  GET /pay  server  0..90ms
  payment  Charge  server  10..80ms
web  GET /pay  server  100..190ms
  payment  Charge  server  110..120ms
web  GET /pay  server  200..240ms
  payment  Charge  server  210..220ms
`
	tests := []struct {
		name, more string
		lost       int
		want       string // of all(runs, .charge.count == 1)
	}{
		{"nothing is missing", "", 0, "pass: "},
		{"a parent is missing", "web  GET /pay  server  300..340ms\n  payment  Charge  server  310..320ms\n    db  query  internal  312..314ms parent=missing", 0,
			"inconclusive: for what arrived this is a pass, but not everything arrived of flow 04000000"},
		{"something was refused", "", 3, "inconclusive: for what arrived this is a pass, but not all that was sent or recorded could be taken (3 lost)"},
		{"a failure, and something was refused", "web  GET /pay  server  300..340ms", 3, "inconclusive: for what arrived this is a fail, but not all that was sent or recorded could be taken (3 lost)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var closed []*assertions.Instance
			for _, f := range storetest.Flows(suite.Memberships(), sketch.MustParse(good+tt.more)) {
				in := suite.Open(f.Declaration)
				in.Evaluate(f)
				in.Release(f)
				closed = append(closed, in)
			}
			for _, v := range suite.JudgeAcross("pay", closed, tt.lost) {
				if got := v.Outcome.String() + ": " + v.Explanation().Why; strings.HasPrefix(v.Assertion.Name, "all(runs, .charge") && got != tt.want {
					t.Errorf("got %s\nwant %s", got, tt.want)
				}
			}
		})
	}
}

// A span that comes late counts.
func TestAcrossSeesLateSpans(t *testing.T) {
	suite := mustLoad(t, acrossSuite)
	p := storetest.New(suite.Memberships(), store.Settings{})
	s := sketch.MustParse(`
web  GET /pay  server  0..90ms
  payment  Charge  server  10..80ms
  payment  Charge  server  20..80ms at=9s`)
	var in *assertions.Instance
	var verdicts []assertions.Verdict
	for i, a := range s.Arrivals {
		for _, f := range p.Arrive(a) {
			switch {
			case i == 1:
				p.Store.CloseFlow(f, trace.BySilence)
				in = suite.Open("pay")
				f = f.WithState(trace.Closed, trace.BySilence)
				verdicts = in.Evaluate(f)
				in.Release(f)
			case in != nil:
				in.Revise(f, verdicts)
			}
		}
	}
	for _, v := range suite.JudgeAcross("pay", []*assertions.Instance{in}, 0) {
		if strings.HasPrefix(v.Assertion.Name, "all(runs, .charge") && v.Outcome != assertions.Fail {
			t.Errorf("%v after a second charge came late", v.Outcome)
		}
	}
}

// Data that was lost while a run was under way is lost to all runs together.
func TestAcrossOfALossyRun(t *testing.T) {
	suite := mustLoad(t, strings.Replace(acrossSuite, "      runs: 3", "      runs: 1", 1))
	p := storetest.New(suite.Memberships(), store.Settings{})
	for _, a := range sketch.MustParse("web  GET /pay  server  0..90ms\n  payment  Charge  server  10..80ms").Arrivals {
		p.Arrive(a)
	}
	if err := p.Store.Consume(t.Context(), trace.Batch{Refused: []trace.Refusal{{Service: "payment", Reason: "it looked odd", Spans: 1}}}); err != nil {
		t.Fatal(err)
	}
	var closed []*assertions.Instance
	for _, f := range p.Close(trace.ByEndOfRun) {
		in := suite.Open(f.Declaration)
		in.Evaluate(f)
		in.Release(f)
		closed = append(closed, in)
	}
	for _, v := range suite.JudgeAcross("pay", closed, 0) {
		if why := v.Explanation().Why; v.Outcome != assertions.Inconclusive || !strings.Contains(why, "data was lost of 1 run") {
			t.Errorf("%s: %v, %s", v.Assertion.Name, v.Outcome, why)
		}
	}
}
