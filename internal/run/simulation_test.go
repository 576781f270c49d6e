package run

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
)

var (
	simulations = flag.Int("simulations", 400, "how many random systems TestSimulation makes")
	firstSeed   = flag.Uint64("first-seed", 1, "the first of their seeds")
)

// tally counts verdicts about random systems against what really happened.
type tally struct{ right, falseGreen, falseRed, open, skipped int }

// No verdict is a pass where the truth is a failure. A system that followspan starts
// and stops cannot fool it, whatever of contexts, clocks and deliveries goes wrong, as
// long as those who lose contexts send spans; nor can any system where absences must be
// proved, nor an SDK's queue that ran over. Silence alone can: of a system that somebody
// else runs, spans may be lost, or contexts, that leave no trace. And no verdict is a
// failure where the truth is a pass, unless something went wrong.
func TestSimulation(t *testing.T) {
	counts := map[string]*tally{}
	for i := range *simulations {
		seed := *firstSeed + uint64(i)
		for _, require := range []assertions.Grade{assertions.Quiet, assertions.Proved} {
			synctest.Test(t, func(t *testing.T) { simulate(t, seed, require, counts) })
		}
		if t.Failed() {
			break
		}
	}
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		c := counts[name]
		t.Logf("%-60s right %6d  false green %4d  false red %4d  open %5d  of unknown truth %4d", name, c.right, c.falseGreen, c.falseRed, c.open, c.skipped)
	}
}

// simulate lets one random system handle a request while it is judged, and
// compares the verdicts with what really happened.
func simulate(t *testing.T, seed uint64, require assertions.Grade, counts map[string]*tally) {
	w := newWorld(seed)
	r := &Settings{Random: rand.Reader, Require: require, Telemetry: Telemetry{ExportBatch: 1}}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	began := trace.TimeOf(time.Now()).Add(time.Millisecond)
	answered := w.happen(began)
	w.breakExports()
	w.text = w.flowFile()
	r.Inputs = []Input{{Suite: load(t, w.text)}}
	journal := &keptJournal{}
	r.Journal = NewJournal(journal.keep)
	settings := store.Settings{RunID: "r1", RunTrace: w.suite, RunSpan: w.suiteTop}
	recorded := settings
	recorded.Journal = r.Journal.Store
	r.Store = store.New(Memberships(r.Inputs), recorded)
	r.GRPC = func(GRPCCall) Action {
		return acted{func(tc TraceContext) {
			w.continueTrace(tc)
			for _, s := range w.services {
				go w.play(ctx, r.Store, s)
			}
			sleep(ctx, answered.Sub(trace.TimeOf(time.Now())))
		}}
	}
	r.Drain = func(context.Context) error {
		stop()
		synctest.Wait()
		if w.owned {
			w.finish(r.Store)
		}
		return nil
	}
	result := Run(ctx, *r)
	w.compare(t, seed, require, result, counts)
	r.Journal.End(result)
	journal.replay(t, fmt.Sprintf("seed %d, absences %v", seed, require), w.text, require, result, settings)
}

func load(t *testing.T, text string) *assertions.Suite {
	suite, problems := assertions.Load(diag.NewSource("f.flow.yaml", text), assertions.Options{})
	if problems.HasErrors() {
		t.Fatal(text, diag.Style{}.RenderAll(problems))
	}
	return suite
}

// continueTrace moves what happens into the trace of the trigger.
func (w *world) continueTrace(tc TraceContext) {
	for _, e := range w.spans {
		if e.TraceID == w.flow {
			e.TraceID = tc.TraceID
		}
		if e.Parent == w.trigger {
			e.Parent = tc.SpanID
		}
	}
	w.flow, w.trigger = tc.TraceID, tc.SpanID
}

// finish lets work end that was under way, and sends all that is left.
func (w *world) finish(to *store.Store) {
	for _, s := range w.services {
		for s.sent < len(s.queue) {
			w.export(to, s, s.queue[len(s.queue)-1].End)
		}
	}
}

// actual judges what really happened.
func (w *world) actual(t *testing.T, text string) map[string]assertions.Outcome {
	suite := load(t, text)
	st := store.New(suite.Memberships(), store.Settings{RunTrace: w.suite, RunSpan: w.suiteTop})
	if _, err := st.Expect("f", w.flow, w.trigger); err != nil {
		t.Fatal(err)
	}
	var b trace.Builder
	first, last := w.spans[0].Start, w.spans[0].End
	b.SetResource(trace.ResourceData{Attrs: []trace.Attr{textAttr("service.name", "followspan")}})
	b.Add(&trace.SpanData{TraceID: w.flow, ID: w.trigger, Name: "acted", Kind: trace.Client, Start: first.Add(-time.Millisecond), End: last.Add(time.Millisecond)})
	for _, spans := range [][]trace.Span{b.Commit(), w.truth()} {
		if err := st.Consume(t.Context(), trace.Batch{Spans: spans}); err != nil {
			t.Fatal(err)
		}
	}
	st.Close(trace.ByEndOfRecording)
	out := map[string]assertions.Outcome{}
	for {
		f, err := st.Next(t.Context())
		if err != nil {
			return out
		}
		in := suite.Open(f.Declaration)
		in.SetResponse(assertions.Response{})
		for _, v := range in.Evaluate(f) {
			out[f.Declaration+": "+v.Assertion.Name] = holds(v.Outcome)
		}
	}
}

func (w *world) compare(t *testing.T, seed uint64, require assertions.Grade, result *Result, counts map[string]*tally) {
	actual := w.actual(t, w.text)
	kind := w.kind(require)
	c := counts[kind]
	if c == nil {
		c = &tally{}
		counts[kind] = c
	}
	for _, f := range result.Files[0].Flows {
		for _, in := range f.Instances {
			for _, v := range in.Verdicts {
				w.count(t, seed, require, c, f.Name, &v, actual[f.Name+": "+v.Assertion.Name])
			}
		}
	}
}

// count compares one verdict about a flow with the truth.
func (w *world) count(t *testing.T, seed uint64, require assertions.Grade, c *tally, flow string, v *assertions.Verdict, truth assertions.Outcome) {
	switch found := holds(v.Outcome); {
	case v.Assertion.Kind == assertions.KindRuns:
	case truth != assertions.Pass && truth != assertions.Fail:
		c.skipped++
	case found == truth:
		c.right++
	case found == assertions.Pass:
		c.falseGreen++
		if w.mustHold(require) {
			t.Errorf("seed %d: %s of %s passed, and it is false; %s\n%s%s", seed, v.Assertion.Name, flow, w.kind(require), w.text, w.show())
		}
	case found == assertions.Fail:
		c.falseRed++
		if strings.HasSuffix(w.kind(require), "nothing wrong") {
			t.Errorf("seed %d: %s of %s failed, and it holds; %s\n%s%s", seed, v.Assertion.Name, flow, w.kind(require), w.text, w.show())
		}
	default:
		c.open++
	}
}

// holds takes an assertion that does not apply for one that holds: neither fails a run.
func holds(o assertions.Outcome) assertions.Outcome {
	if o == assertions.NotApplicable {
		return assertions.Pass
	}
	return o
}

// mustHold reports whether a false pass is a defect, rather than what silence
// cannot tell.
func (w *world) mustHold(require assertions.Grade) bool {
	return require == assertions.Proved || !w.blind
}

func (w *world) kind(require assertions.Grade) string {
	who := "foreign"
	if w.owned {
		who = "owned"
	}
	faults := strings.Join(slices.Sorted(maps.Keys(w.faults)), ", ")
	if faults == "" {
		faults = "nothing wrong"
	}
	if len(w.faults) > 1 {
		faults = "several faults"
	}
	return fmt.Sprintf("%s system, absence %s, %s", who, require, faults)
}

// show writes what really happened.
func (w *world) show() string {
	var b strings.Builder
	for _, e := range w.spans {
		fmt.Fprintf(&b, "%s %s %s %s..%s id=%x parent=%x request=%d silent=%v lost=%v refused=%v orphaned=%v error=%v delay=%v offset=%v links=%d\n", e.by.name, e.Name, e.Kind,
			e.Start.Sub(w.spans[0].Start), e.End.Sub(w.spans[0].Start), e.ID[6:], e.Parent[6:], e.request, e.by.silent, e.lost || e.unsampled, e.refused, !e.orphaned.IsZero(), e.Status == trace.Error, e.by.delay, e.by.offset, len(e.linksTo))
	}
	return b.String()
}
