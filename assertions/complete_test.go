package assertions_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/store/storetest"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

// What failed early is explained anew once the flow has closed, by all its spans, also
// where the instance was released meanwhile. Nothing else is touched.
func TestComplete(t *testing.T) {
	suite, problems := assertions.Load(diag.NewSource("f.yaml", `version: 1
spans:
  charge: name == "charge"
flows:
  f:
    origin: name == "order"
    expect:
      - charge.count == 1
      - charge.exists
      - charge.last.status == "error"
`), assertions.Options{})
	if problems.HasErrors() {
		t.Fatal(diag.Style{}.RenderAll(problems))
	}
	all := sketch.MustParse(`
shop  order  0..100ms  at=1ms
  payment  charge  10..20ms
  payment  charge  30..40ms
  payment  charge  50..60ms`).Arrivals
	for name, release := range map[string]bool{"kept": false, "released": true} {
		t.Run(name, func(t *testing.T) {
			p := storetest.New(suite.Memberships(), store.Settings{})
			in := suite.Open("f")
			var verdicts []assertions.Verdict
			var f trace.Flow
			see := func(changed []trace.Flow) {
				for _, f = range changed {
					verdicts = append(verdicts, in.Evaluate(f)...)
				}
			}
			for _, a := range all {
				see(p.Arrive(a))
			}
			why := func() map[string]string {
				out := map[string]string{}
				for _, v := range verdicts {
					out[v.Assertion.Name] = v.Outcome.String() + ": " + v.Explanation().Why
				}
				return out
			}
			in.Complete(f, verdicts)
			if got, want := why()["charge.count == 1"], "fail: 2 spans, exactly 1 allowed"; got != want {
				t.Errorf("while it is open: %q, want %q", got, want)
			}
			see(p.Wait(time.Second))
			see(p.Close(trace.ByEndOfRun))
			if release {
				in.Release(f)
			}
			before := why()
			in.Complete(f, verdicts)
			before["charge.count == 1"] = "fail: 3 spans, exactly 1 allowed"
			if diff := cmp.Diff(before, why()); diff != "" {
				t.Errorf("closed (-want +got)\n%s", diff)
			}
		})
	}
}
