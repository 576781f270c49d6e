package run

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

func inputs(t *testing.T, files ...string) (all []Input) {
	t.Helper()
	for _, text := range files {
		suite, problems := assertions.Load(diag.NewSource("f.flow.yaml", text), assertions.Options{})
		if problems.HasErrors() {
			t.Fatal(diag.Style{}.RenderAll(problems))
		}
		all = append(all, Input{Suite: suite})
	}
	return all
}

// check judges batches as a recording; after them comes the error.
func check(t *testing.T, ctx context.Context, in []Input, batches []trace.Batch, end error) (*Result, error) {
	t.Helper()
	flows, err := RecordedMemberships(in)
	if err != nil {
		t.Fatal(err)
	}
	s := store.New(flows, RecordedStore(0))
	return Check(ctx, CheckSettings{Inputs: in, Store: s, Read: func(_ context.Context, take func(trace.Batch) error) error {
		for _, b := range batches {
			if err := take(b); err != nil {
				t.Fatal(err)
			}
		}
		return end
	}})
}

// found writes all verdicts, one a line, with their instances.
func found(r *Result) string {
	var b strings.Builder
	for v := range r.Verdicts() {
		fmt.Fprintf(&b, "%s %s: %s\n", v.Instance, v.Assertion.Name, v.Outcome)
	}
	return b.String()
}

const shopFile = `
version: 1
flows:
  order:
    origin: service == "shop" and isRoot
    expect:
      - name: it is paid
        that: any(spans, .service == "payment")
      - name: one mail
        that: count(spans, .service == "email") == 1
    never: [status == "error"]
invariants:
  expect:
    - name: three orders
      per: session
      that: count(spans, .service == "shop" and .isRoot) == 3
`

// Three orders, an hour apart: a good one, one that is not paid, and one of which
// something is missing.
const shopSketch = `
shop  order  server  0..100ms  order.id=o-1
  payment  charge  20..60ms
  email  mail  70..80ms
shop  order  server  3600000..3600100ms  order.id=o-2
  email  mail  3600070..3600080ms
shop  order  server  7200000..7200100ms  order.id=o-3
  payment  charge  7200020..7200060ms
  email  mail  7200070..7200080ms
  shop  render  internal  7200072..7200075ms parent=missing
`

func TestCheck(t *testing.T) {
	r, err := check(t, t.Context(), inputs(t, shopFile), []trace.Batch{{Spans: sketch.MustParse(shopSketch).Spans()}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := `01000000 it is paid: pass
01000000 one mail: pass
01000000 never status == "error": pass
02000000 it is paid: fail
02000000 one mail: pass
02000000 never status == "error": pass
03000000 it is paid: pass
03000000 one mail: inconclusive
03000000 never status == "error": inconclusive
 runs at least 1: pass
session three orders: inconclusive
`
	if diff := cmp.Diff(want, found(r)); diff != "" {
		t.Errorf("verdicts (-want +got)\n%s", diff)
	}
	if r.Ended != EndedByRecording || r.ExitCode(false) != ExitFailed {
		t.Errorf("ended %v, exit code %d", r.Ended, r.ExitCode(false))
	}
}

// The order and the batches in which a recording holds its spans do not matter.
func TestCheckShuffled(t *testing.T) {
	in := inputs(t, shopFile)
	spans := sketch.MustParse(shopSketch).Spans()
	r, err := check(t, t.Context(), in, []trace.Batch{{Spans: spans}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := found(r)
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 1))
		random.Shuffle(len(spans), func(i, j int) { spans[i], spans[j] = spans[j], spans[i] })
		cut := random.IntN(len(spans))
		r, err := check(t, t.Context(), in, []trace.Batch{{Spans: spans[:cut]}, {Spans: spans[cut:]}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, found(r)); diff != "" {
			t.Fatalf("seed %d (-in order +shuffled)\n%s", seed, diff)
		}
	}
}

// Full batches one after another say nothing about a queue that may have run over:
// what is required and missing fails all the same.
func TestCheckFullBatches(t *testing.T) {
	var text strings.Builder
	text.WriteString("shop  order  server  0..100ms\n")
	for range 4 * 128 {
		text.WriteString("  shop  step  internal  1..2ms parent=missing\n")
	}
	spans := sketch.MustParse(text.String()).Spans()
	var batches []trace.Batch
	for i := 0; i+128 <= len(spans); i += 128 {
		batches = append(batches, trace.Batch{Spans: spans[i : i+128]})
	}
	batches = append(batches, trace.Batch{Spans: spans[len(batches)*128:]})
	r, err := check(t, t.Context(), inputs(t, shopFile), batches, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := outcomes(r)["it is paid"]; got != assertions.Fail {
		t.Errorf("the verdict is %v", got)
	}
}

// What could not be read spoils every verdict that it could have changed.
func TestCheckLeftOut(t *testing.T) {
	batches := []trace.Batch{{Spans: sketch.MustParse(shopSketch).Spans()[:3]}, {Refused: []trace.Refusal{{Reason: "what could not be understood in a.json", Spans: 7}}}}
	r, err := check(t, t.Context(), inputs(t, shopFile), batches, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := outcomes(r)
	if got["it is paid"] != assertions.Pass || got["one mail"] != assertions.Inconclusive {
		t.Errorf("verdicts %v", got)
	}
	want := []trace.Loss{{What: "what could not be understood in a.json", Count: 7}}
	if diff := cmp.Diff(want, r.Files[0].Flows[0].Instances[0].Flow.Losses()); diff != "" {
		t.Errorf("losses (-want +got)\n%s", diff)
	}
}

func TestCheckEnds(t *testing.T) {
	broken := errors.New("broken")
	if _, err := check(t, t.Context(), inputs(t, shopFile), nil, broken); !errors.Is(err, broken) {
		t.Errorf("error %v, want the one of Read", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, err := check(t, ctx, inputs(t, shopFile), []trace.Batch{{Spans: sketch.MustParse(shopSketch).Spans()[:3]}}, ctx.Err())
	if err != nil || r.Ended != EndedByInterrupt || r.ExitCode(false) != ExitInconclusive || outcomes(r)["it is paid"] != assertions.Pass {
		t.Errorf("interrupted: error %v, result %+v", err, r)
	}
}

// Flows with a trigger begin in a recording where their origin or a trace does.
func TestCheckTriggers(t *testing.T) {
	const trigger = "    trigger: {http: {url: \"http://127.0.0.1:1/\"}}\n"
	const head = "version: 1\nflows:\n"
	const origin = "    origin: service == \"shop\" and isRoot\n    runs: exactly 3\n"
	const expect = "    expect: [{name: paid, that: 'any(spans, .service == \"payment\")'}]\n"
	spans := []trace.Batch{{Spans: sketch.MustParse(shopSketch).Spans()}}
	for name, file := range map[string]string{
		"with an origin":    head + "  a:\n" + trigger + origin + expect,
		"without an origin": head + "  a:\n" + trigger + "    runs: exactly 3\n" + expect,
	} {
		r, err := check(t, t.Context(), inputs(t, file), spans, nil)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(r.Files[0].Flows[0].Instances); n != 3 {
			t.Errorf("%s: %d instances", name, n)
		}
	}
	two := head + "  a:\n" + trigger + expect + "  b:\n" + trigger + expect
	if _, err := RecordedMemberships(inputs(t, two)); err == nil || !strings.Contains(err.Error(), "add an origin") {
		t.Errorf("two triggers without origins: error %v", err)
	}
}
