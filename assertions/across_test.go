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
	for _, v := range suite.JudgeAcross("pay", closed) {
		write(&got, v)
	}
	write(&got, suite.JudgeRuns("pay", len(closed), view))
	write(&got, suite.JudgeRuns("pay", 2, view))
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
  arrived: 7 spans of payment (4) and web (3)
  it starts with: service == "web"

`
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}
