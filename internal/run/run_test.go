package run

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

// testRun is a run whose spans the test sends. Its time is that of a synctest bubble.
type testRun struct {
	t        *testing.T
	settings Settings
	started  time.Time
}

func newTestRun(t *testing.T, files ...string) *testRun {
	t.Helper()
	r := &testRun{t: t, started: time.Now()}
	for _, text := range files {
		suite, problems := assertions.Load(diag.NewSource("f.flow.yaml", text), assertions.Options{})
		if problems.HasErrors() {
			t.Fatal(diag.Style{}.RenderAll(problems))
		}
		r.settings.Inputs = append(r.settings.Inputs, Input{Suite: suite})
	}
	r.settings.Store = store.New(Memberships(r.settings.Inputs), store.Settings{})
	return r
}

// send consumes the spans of a sketch, which ended just now.
func (r *testRun) send(text string) { r.sendNow(sketch.MustParse(text).Spans()) }

// sendNow consumes spans as if they had ended just now.
func (r *testRun) sendNow(spans []trace.Span) {
	var w trace.Builder
	for _, s := range spans {
		w.SetResource(trace.ResourceData{Attrs: []trace.Attr{textAttr("service.name", s.Service()), textAttr("service.instance.id", s.Service())}})
		now := trace.TimeOf(time.Now())
		w.Add(&trace.SpanData{TraceID: s.TraceID(), ID: s.ID(), Parent: s.ParentID(), Name: s.Name(), Kind: s.Kind(), Start: now, End: now})
	}
	if err := r.settings.Store.Consume(context.Background(), trace.Batch{Spans: w.Commit()}); err != nil {
		r.t.Error(err)
	}
}

// outcomes are the verdicts by their assertions' names, those on runs left out.
func outcomes(r *Result) map[string]assertions.Outcome {
	out := map[string]assertions.Outcome{}
	for v := range r.Verdicts() {
		if v.Assertion.Kind != assertions.KindRuns {
			out[v.Assertion.Name] = v.Outcome
		}
	}
	return out
}

const orderFile = `version: 1
flows:
  order:
    origin: name == "order"
    expect:
      - any(spans, .name == "mail")
`

// A run ends the moment its last verdict is certain: no silence is waited for.
func TestRunEndsWithTheLastVerdict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTestRun(t, orderFile)
		time.AfterFunc(3*time.Second, func() { r.send("shop  order  0..1ms\n  mail  mail  0..1ms") })
		result := Run(t.Context(), r.settings)
		if got := outcomes(result)["any(spans, .name == \"mail\")"]; got != assertions.Pass {
			t.Errorf("the verdict is %v", got)
		}
		if took := time.Since(r.started); took != 3*time.Second {
			t.Errorf("the run took %v, and its last span came after 3s", took)
		}
		if result.Ended != EndedByVerdicts || result.ExitCode(false) != ExitPassed {
			t.Errorf("ended %v with code %d", result.Ended, result.ExitCode(false))
		}
	})
}

// What is missing is awaited until the deadline; what is wrong is not.
func TestRunWaitsForWhatIsMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTestRun(t, orderFile)
		r.send("shop  order  0..1ms")
		result := Run(t.Context(), r.settings)
		if took := time.Since(r.started); took != trace.DefaultDeadline {
			t.Errorf("the run took %v, want the deadline of %v", took, trace.DefaultDeadline)
		}
		if result.Ended != EndedByDeadline || result.ExitCode(false) != ExitFailed {
			t.Errorf("ended %v with code %d", result.Ended, result.ExitCode(false))
		}
	})
	synctest.Test(t, func(t *testing.T) {
		r := newTestRun(t, "version: 1\nflows: {order: {origin: name == \"order\", expect: [spans.count == 1]}}")
		r.send("shop  order  0..1ms\n  shop  again  0..1ms internal")
		result := Run(t.Context(), r.settings)
		if took := time.Since(r.started); took != 0 || result.ExitCode(false) != ExitFailed {
			t.Errorf("a surplus took %v to fail with code %d", took, result.ExitCode(false))
		}
	})
}

// A span that arrives while the run winds up is matched all the same.
func TestRunRevises(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTestRun(t, "version: 1\nflows: {order: {origin: name == \"order\", never: [name == \"late\"]}}")
		r.send("shop  order  0..1ms")
		r.settings.Drain = func(context.Context) error {
			time.Sleep(3100 * time.Millisecond)
			r.send("shop  order  0..1ms\n  shop  late  0..1ms internal")
			return nil
		}
		result := Run(t.Context(), r.settings)
		if got := outcomes(result)[`never name == "late"`]; got != assertions.Fail {
			t.Errorf("the verdict is %v after a late span that must never be", got)
		}
		for v := range result.Verdicts() {
			if notes := strings.Join(v.Explanation().Notes, " "); v.Outcome == assertions.Fail && !strings.Contains(notes, "shop/late arrived 3.1s after the flow had closed (complete). timing.quiet: 4s would") {
				t.Errorf("notes: %s", notes)
			}
		}
	})
}

// A span may arrive while a flow is judged for good, and the flow be handed out with it
// before it is closed: it is judged by it all the same.
func TestRunRevisesByWhatCameMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTestRun(t, "version: 1\nflows: {order: {origin: name == \"order\", expect: [\"exactlyOnce(spans, .name)\"]}}")
		spans := sketch.MustParse("shop  order  0..3ms\n  shop  pay  0..1ms internal\n  shop  pay  1..2ms internal").Spans()
		next := func() trace.Flow {
			f, err := r.settings.Store.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
		judging := newRunner(r.settings)
		r.sendNow(spans[1:])
		judging.judge(next())
		silent := next()
		r.sendNow(spans[:1])
		for _, f := range []trace.Flow{silent, next()} {
			judging.judge(f)
		}
		judging.judge(next())
		result := judging.result()
		if got := outcomes(result)["exactlyOnce(spans, .name)"]; got != assertions.Fail {
			t.Errorf("the verdict is %v after the second of its kind", got)
		}
		if f := result.Files[0].Flows[0].Instances[0].Flow; f.State() != trace.Closed || f.Reason() != trace.BySilence {
			t.Errorf("the flow is %v: %v", f.State(), f.Reason())
		}
	})
}

// What a flow turns out to miss while it is judged for good puts in doubt what it was judged
// by, as does what turns out when it was.
func TestRunDoubtsWhatWasLostMeanwhile(t *testing.T) {
	const text = "version: 1\nflows: {order: {origin: name == \"order\", never: [name == \"late\"]}}"
	spans := sketch.MustParse("shop  order  0..3ms\n  shop  pay  0..1ms internal").Spans()
	refuse := trace.Batch{Refused: []trace.Refusal{{Reason: "it cannot be read"}}}
	for _, tt := range []struct {
		name            string
		meantime, later func(*testRun)
		want            assertions.Outcome
	}{
		{"nothing", nil, nil, assertions.Pass},
		{"another version of a span", func(r *testRun) { r.sendNow(spans[:1]) }, nil, assertions.Inconclusive},
		{"a request that cannot be read", func(r *testRun) { _ = r.settings.Store.Consume(r.t.Context(), refuse) }, nil, assertions.Inconclusive},
		{"a span that was refused", func(r *testRun) { r.refuse(spans[0].TraceID()) }, nil, assertions.Inconclusive},
		{"a span that was refused later", nil, func(r *testRun) { r.refuse(spans[0].TraceID()) }, assertions.Inconclusive},
		{"a span of another flow that was refused later", nil, func(r *testRun) { r.refuse(trace.TraceID{7}) }, assertions.Pass},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newTestRun(t, text)
				r.settings.Store = store.New(Memberships(r.settings.Inputs), store.Settings{Bytes: 32 << 20})
				judging := newRunner(r.settings)
				next := func() trace.Flow {
					f, err := r.settings.Store.Next(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					return f
				}
				r.sendNow(spans)
				judging.judge(next())
				silent := next()
				if tt.meantime != nil {
					time.Sleep(time.Millisecond)
					tt.meantime(r)
				}
				time.Sleep(time.Millisecond)
				judging.judge(silent)
				if tt.later != nil {
					tt.later(r)
				}
				r.settings.Store.Close(trace.ByEndOfRun)
				judging.judgeChanged(t.Context())
				if got := outcomes(judging.result())[`never name == "late"`]; got != tt.want {
					t.Errorf("the verdict is %v, want %v", got, tt.want)
				}
			})
		})
	}
}

// refuse sends a span of a trace that takes more than all memory.
func (r *testRun) refuse(id trace.TraceID) {
	var w trace.Builder
	now := trace.TimeOf(time.Now())
	w.Add(&trace.SpanData{TraceID: id, ID: trace.SpanID{9}, Name: "large", Start: now, End: now, Attrs: []trace.Attr{textAttr("text", strings.Repeat("x", 33<<20))}})
	if err := r.settings.Store.Consume(r.t.Context(), trace.Batch{Spans: w.Commit()}); !errors.Is(err, store.ErrTooLarge) {
		r.t.Errorf("the error is %v", err)
	}
}

// A consumer may arrive before the message that its context names, and be taken for that of
// another flow, which used the same id: a verdict about that flow does not stand.
func TestRunTakesBackWhatIsAnotherFlows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTestRun(t, "version: 1\nspans: {consumed: service == \"mail\"}\nflows: {first: {origin: name == \"first\", expect: [consumed.count == 1]}}")
		spans := sketch.MustParse(`
shop  first   server  0..9ms  at=10ms
  shop  send  producer  1..2ms  at=10ms #first messaging.destination.name=q messaging.message.id=1
mail  take  consumer  5..8ms  at=10ms link=#first messaging.destination.name=q messaging.message.id=1
shop  second  server  0..9ms  at=30ms
  shop  send  producer  1..2ms  at=30ms #second messaging.destination.name=q messaging.message.id=1
mail  take  consumer  5..8ms  at=20ms link=#second messaging.destination.name=q messaging.message.id=1`).Spans()
		r.settings.Drain = func(context.Context) error {
			for _, part := range [][]trace.Span{spans[:3], spans[3:4], spans[4:]} {
				if err := r.settings.Store.Consume(context.Background(), trace.Batch{Spans: part}); err != nil {
					t.Error(err)
				}
				synctest.Wait()
			}
			time.Sleep(6 * time.Second) // until it is silent
			return nil
		}
		if got := outcomes(Run(t.Context(), r.settings)); got["consumed.count == 1"] != assertions.Pass {
			t.Errorf("the verdicts are %v", got)
		}
	})
}

// acted is an action that was performed, and after which a test does something.
type acted struct{ then func(TraceContext) }

func (a acted) String() string { return "acted" }

func (a acted) Do(_ context.Context, t TraceContext) Performed {
	span := ownSpan(t, "acted")
	span.Start = trace.TimeOf(time.Now())
	a.then(t)
	span.End = trace.TimeOf(time.Now())
	return Performed{Span: span, Response: &Response{}, ExitCode: -1}
}

// What a trigger caused is awaited, however late SDKs send it.
func TestRunAwaitsWhatATriggerCaused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTestRun(t, "version: 1\nflows: {order: {trigger: {grpc: {target: x, method: a.B/C}}, expect: [spans.exists]}}")
		r.settings.GRPC = func(GRPCCall) Action {
			return acted{func(tc TraceContext) {
				time.AfterFunc(5*time.Second, func() {
					var w trace.Builder
					now := trace.TimeOf(time.Now())
					w.Add(&trace.SpanData{TraceID: tc.TraceID, ID: trace.SpanID{1}, Parent: tc.SpanID, Name: "order", Start: now, End: now})
					if err := r.settings.Store.Consume(context.Background(), trace.Batch{Spans: w.Commit()}); err != nil {
						t.Error(err)
					}
				})
			}}
		}
		r.settings.Random = rand.Reader
		result := Run(t.Context(), r.settings)
		if result.ExitCode(false) != ExitPassed {
			t.Errorf("exit code %d after %v: %v", result.ExitCode(false), time.Since(r.started), outcomes(result))
		}
	})
}

// Where only a proof will do, silence is not waited for longer than it takes to
// stop, and without a proof the verdict is open.
func TestRunRequiresProof(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTestRun(t, "version: 1\nflows: {order: {origin: name == \"order\", expect: [spans.exists], never: [name == \"late\"]}}")
		r.settings.Require = assertions.Proved
		r.send("shop  order  0..1ms")
		result := Run(t.Context(), r.settings)
		if took := time.Since(r.started); took != trace.DefaultQuiet {
			t.Errorf("the run took %v, want %v", took, trace.DefaultQuiet)
		}
		got := outcomes(result)
		if got[`never name == "late"`] != assertions.Inconclusive || got["spans.exists"] != assertions.Pass || result.ExitCode(false) != ExitInconclusive {
			t.Errorf("verdicts %v, exit code %d", got, result.ExitCode(false))
		}
	})
}

// Once the system has ended, a flow that is complete waits for nothing more, whatever its
// assertions wait for, and a run that is judged again closes it then, too.
func TestRunWaitsForNothingOfASystemThatEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, kept := newTestRun(t, orderFile), &keptJournal{}
		r.settings.Journal = NewJournal(kept.keep)
		r.settings.Store = store.New(Memberships(r.settings.Inputs), store.Settings{Journal: r.settings.Journal.Store})
		r.send("shop  order  0..1ms")
		judging := newRunner(r.settings)
		for range 2 {
			f, err := r.settings.Store.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			judging.judge(f)
		}
		time.Sleep(time.Second)
		judging.noteSystemEnd()
		judging.acted, judging.actedAt = true, time.Now()
		if over, _ := judging.over(); !over {
			t.Error("something is waited for though the system has ended")
		}
		r.settings.Store.Close(trace.ByEndOfRun)
		result := judging.result()
		if f := result.Files[0].Flows[0].Instances[0].Flow; f.Reason() != trace.BySilence {
			t.Errorf("the flow is closed: %v", f.Reason())
		}
		r.settings.Journal.End(result)
		kept.replay(t, "the system ended", orderFile, assertions.Quiet, result, store.Settings{})
	})
}

// A command may have made a flow happen last thing of which nobody has heard yet, however
// often others have happened. Of what the run started, it hears when that is stopped.
func TestRunAwaitsWhatTheCommandCaused(t *testing.T) {
	const other = "version: 1\nflows: {refund: {origin: name == \"refund\", expect: [spans.exists]}}"
	for _, tt := range []struct {
		name  string
		files []string
		runID string
		want  time.Duration
	}{
		{"once more", []string{orderFile}, "", trace.DefaultQuiet},
		{"of what the run started", []string{orderFile}, "r1", 0},
		{"for the first time", []string{orderFile, other}, "", trace.DefaultQuiet},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newTestRun(t, tt.files...)
				r.settings.Command = &Command{}
				r.settings.Store = store.New(Memberships(r.settings.Inputs), store.Settings{RunID: tt.runID})
				var w trace.Builder
				w.SetResource(trace.ResourceData{Attrs: []trace.Attr{textAttr("service.name", "shop"), textAttr(store.RunAttribute, "r1")}})
				now := trace.TimeOf(time.Now())
				w.Add(&trace.SpanData{TraceID: trace.TraceID{1}, ID: trace.SpanID{1}, Name: "order", Start: now, End: now})
				w.Add(&trace.SpanData{TraceID: trace.TraceID{1}, ID: trace.SpanID{2}, Parent: trace.SpanID{1}, Name: "mail", Start: now, End: now})
				if err := r.settings.Store.Consume(t.Context(), trace.Batch{Spans: w.Commit()}); err != nil {
					t.Fatal(err)
				}
				judging := newRunner(r.settings)
				f, err := r.settings.Store.Next(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				judging.judge(f)
				time.Sleep(time.Minute)
				judging.acted, judging.actedAt = true, time.Now()
				for over, again := judging.over(); !over; over, again = judging.over() {
					time.Sleep(again)
				}
				if took := time.Since(judging.actedAt); took != tt.want {
					t.Errorf("the run is over %v after the command, want %v", took, tt.want)
				}
			})
		})
	}
}

// An interrupted run judges what there is.
func TestRunInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTestRun(t, orderFile)
		r.send("shop  order  0..1ms")
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		result := Run(ctx, r.settings)
		if took := time.Since(r.started); took != time.Second || result.Ended != EndedByInterrupt {
			t.Errorf("ended %v after %v", result.Ended, took)
		}
		if got := outcomes(result); len(got) != 1 {
			t.Errorf("verdicts: %v", got)
		}
	})
}

// Two files may declare a flow of the same name; --flow picks from both.
func TestRunOfTwoFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		other := "version: 1\nflows:\n  order: {origin: name == \"order\", expect: [spans.exists]}\n  unused: {origin: name == \"x\", expect: [spans.exists]}\n"
		r := newTestRun(t, orderFile, other)
		for i := range r.settings.Inputs {
			r.settings.Inputs[i].Only = []string{"order"}
		}
		r.settings.Store = store.New(Memberships(r.settings.Inputs), store.Settings{})
		r.send("shop  order  0..1ms\n  mail  mail  0..1ms")
		result := Run(t.Context(), r.settings)
		if len(result.Files) != 2 || len(result.Files[1].Flows) != 1 || len(result.Files[1].Flows[0].Instances) != 1 {
			t.Fatalf("files: %+v", result.Files)
		}
		if result.ExitCode(false) != ExitPassed {
			t.Errorf("exit code %d: %v", result.ExitCode(false), outcomes(result))
		}
	})
}
