package report

import (
	"bytes"
	"encoding/xml"
	"io"
	"testing"
	"time"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/internal/run"
	"github.com/followspan/followspan/trace"
)

func junitOf(t *testing.T, r *run.Result, s JUnitSettings) string {
	t.Helper()
	var b bytes.Buffer
	if err := JUnit(&b, r, s); err != nil {
		t.Fatalf("JUnit: %v", err)
	}
	d := xml.NewDecoder(bytes.NewReader(b.Bytes()))
	for {
		if _, err := d.Token(); err == io.EOF {
			return b.String()
		} else if err != nil {
			t.Fatalf("JUnit writes no valid XML: %v\n%s", err, b.String())
		}
	}
}

func TestJUnit(t *testing.T) {
	r := slowPayments()
	r.Started = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	w := newWorld(checkoutSketch, trace.FlowState{})
	flow := &r.Files[0].Flows[0]
	unsure := w.failed("payment.count == 1", assertions.Evidence{Why: "a call to payment has no server span"})
	unsure.Outcome = assertions.Inconclusive
	guarded := assertions.Verdict{Assertion: w.assertion("email.exists"), Outcome: assertions.NotApplicable, Evidence: &assertions.Evidence{Why: "its guard never held"}}
	flow.Instances = append(flow.Instances, run.InstanceResult{Flow: w.flow, Verdicts: []assertions.Verdict{unsure, guarded}})
	for i := range flow.Instances {
		for k := range flow.Instances[i].Verdicts {
			flow.Instances[i].Verdicts[k].Instance = []string{"4bf92f35", "5c000000"}[i]
		}
	}
	r.Steps = []run.Step{{Kind: run.StepCommand, Name: "go test ./e2e", Duration: time.Second, ExitCode: 1, Output: []string{"FAIL"}}}
	golden(t, "junit.xml", junitOf(t, r, JUnitSettings{}))
}

func TestJUnitOfNothing(t *testing.T) {
	golden(t, "junit-empty.xml", junitOf(t, &run.Result{Duration: 30 * time.Second, Ended: run.EndedByInterrupt}, JUnitSettings{}))
}

func TestJUnitStrict(t *testing.T) {
	lax, strict := junitOf(t, slowPayments(), JUnitSettings{}), junitOf(t, slowPayments(), JUnitSettings{Strict: true})
	if a, b := counts(t, lax), counts(t, strict); a.Failures+1 != b.Failures || a.Errors != b.Errors || a.Tests != b.Tests {
		t.Errorf("counts are %+v, and strictly %+v, want one failure more", a, b)
	}
}

func counts(t *testing.T, text string) junitCounts {
	t.Helper()
	var d junitSuites
	if err := xml.Unmarshal([]byte(text), &d); err != nil {
		t.Fatal(err)
	}
	return d.junitCounts
}

// No byte that a span may hold makes the document invalid.
func TestJUnitIsValid(t *testing.T) {
	junitOf(t, hostile(), JUnitSettings{})
}
