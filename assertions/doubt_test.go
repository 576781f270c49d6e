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

// What becomes known to be missing once a flow was judged makes those verdicts
// inconclusive that rest on an absence, and no others.
func TestDoubt(t *testing.T) {
	suite, problems := assertions.Load(diag.NewSource("f.yaml", `version: 1
spans:
  charge: name == "charge"
  mail: service == "mailer"
flows:
  f:
    origin: name == "order"
    expect:
      - charge.exists
      - charge.empty
      - mail.exists
      - mail.empty
      - {name: skipped, when: mail.exists, that: charge.empty}
      - {name: skipped for good, when: charge.empty, that: mail.exists}
`), assertions.Options{})
	if problems.HasErrors() {
		t.Fatal(diag.Style{}.RenderAll(problems))
	}
	p := storetest.New(suite.Memberships(), store.Settings{})
	in := suite.Open("f")
	p.Arrive(sketch.MustParse("shop  order  0..50ms\n  payment  charge  10..20ms").Arrivals...)
	p.Wait(time.Second)
	verdicts := in.Evaluate(p.Close(trace.ByEndOfRun)[0])
	outcomes := func() map[string]string {
		out := map[string]string{}
		for _, v := range verdicts {
			out[v.Assertion.Name] = v.Outcome.String()
		}
		return out
	}
	want := map[string]string{"charge.exists": "pass", "charge.empty": "fail", "mail.exists": "fail", "mail.empty": "pass", "skipped": "not applicable", "skipped for good": "not applicable"}
	if diff := cmp.Diff(want, outcomes()); diff != "" {
		t.Fatalf("before (-want +got)\n%s", diff)
	}
	assertions.Doubt(verdicts, "a span came late")
	want["mail.exists"], want["mail.empty"], want["skipped"] = "inconclusive", "inconclusive", "inconclusive"
	if diff := cmp.Diff(want, outcomes()); diff != "" {
		t.Errorf("after (-want +got)\n%s", diff)
	}
	for _, v := range verdicts {
		if v.Outcome == assertions.Inconclusive && (v.Explanation().Why != "a span came late" || v.Grade != assertions.Unproved) {
			t.Errorf("%s is %v, because %q", v.Assertion.Name, v.Grade, v.Explanation().Why)
		}
	}
}

// A value without an origin stands for the spans that have it; with one, for what its
// origins caused, unless the file says otherwise.
func TestScopeOfAValue(t *testing.T) {
	for text, want := range map[string]trace.Scoping{
		"per: job.id": trace.ScopeValue,
		"per: job.id\n    stitch: {scope: trace}":    trace.ScopeTrace,
		"per: job.id\n    origin: name == \"order\"": trace.ScopeAuto,
	} {
		suite, problems := assertions.Load(diag.NewSource("f.yaml", "version: 1\nflows:\n  f:\n    "+text+"\n    expect: [spans.exists]\n"), assertions.Options{})
		if problems.HasErrors() {
			t.Fatal(diag.Style{}.RenderAll(problems))
		}
		if m := suite.Memberships()[0]; m.Opens != trace.OpensByKey || m.Scope != want {
			t.Errorf("%s: scope %v, want %v", text, m.Scope, want)
		}
	}
}
