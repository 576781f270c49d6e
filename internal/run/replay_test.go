package run

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
)

// keptJournal keeps a journal in memory, as it would be kept in a file.
type keptJournal struct {
	lines [][]byte
	spans [][]trace.Span
}

func (k *keptJournal) keep(e Entry) error {
	line, err := json.Marshal(e)
	k.lines, k.spans = append(k.lines, line), append(k.spans, e.Spans)
	return err
}

// reader hands out the first n entries.
func (k *keptJournal) reader(n int) func() (Entry, error) {
	i := 0
	return func() (e Entry, err error) {
		if i == n {
			return e, io.EOF
		}
		err = json.Unmarshal(k.lines[i], &e)
		e.Spans = k.spans[i]
		i++
		return e, err
	}
}

// replay judges again and wants the same result.
func (k *keptJournal) replay(t *testing.T, what, text string, require assertions.Grade, want *Result, settings store.Settings) {
	t.Helper()
	s := ReplaySettings{Inputs: []Input{{Suite: load(t, text)}}, Require: require, Next: k.reader(len(k.lines))}
	s.Store = store.New(Memberships(s.Inputs), settings)
	got, err := Replay(s)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if diff := cmp.Diff(told(want), told(got)); diff != "" {
		t.Errorf("%s: judged again (-run +replay)\n%s", what, diff)
	}
}

// told is a result in words, everything of it that a report may show.
func told(r *Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v %v %v %v %v\n", r.Started.UTC(), r.Duration, r.Ended, r.Steps, r.Received)
	for _, w := range r.Warnings {
		fmt.Fprintf(&b, "warning %s %v\n", w.What, w.Notes)
	}
	for _, f := range r.Files {
		for _, flow := range f.Flows {
			for _, in := range flow.Instances {
				fmt.Fprintf(&b, "flow %s %d %v %v at %v: %v %v\n", in.Flow.ID, in.Flow.Len(), in.Flow.State(), in.Flow.Reason(), in.Flow.Now(), in.Flow.OpenEdges(), in.Flow.Losses())
			}
		}
	}
	for v := range r.Verdicts() {
		fmt.Fprintf(&b, "%s: %v early=%v at %v by %+v, %v %v %q %+v %v %v\n", v.Assertion.Name, v.Outcome, v.Early, v.At, v.By, v.Grade, v.Vacuous,
			v.Explanation().Why, v.Explanation().Spans, v.Explanation().Facts, v.Explanation().Notes)
	}
	return b.String()
}

// A run with a command, whose flows end in any way, is judged again from its
// journal; one that was cut short is judged as far as it went.
func TestReplay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const text = `version: 1
flows:
  order:
    origin: name == "order"
    timing: {deadline: 5s}
    expect:
      - any(spans, .name == "mail")
      - spans.count == 2
    never: [name == "late"]
invariants:
  expect:
    - that: spans.count < 10
      per: session
`
		kept := &keptJournal{}
		r := newTestRun(t, text)
		r.settings.Journal = NewJournal(kept.keep)
		r.settings.Store = store.New(Memberships(r.settings.Inputs), store.Settings{RunID: "r1", Journal: r.settings.Journal.Store})
		time.AfterFunc(time.Second, func() { r.send("shop  order  0..1ms\n  mail  mail  0..1ms") })
		time.AfterFunc(2*time.Second, func() { r.send("x  x  0..1ms\nshop  order  0..1ms") })
		time.AfterFunc(9*time.Second, func() { r.send("x  x  0..1ms\nshop  order  0..1ms\n  shop  late  0..1ms internal") })
		result := Run(t.Context(), r.settings)
		result.Received.Refused = append(result.Received.Refused, trace.Loss{What: "something", Count: 3})
		r.settings.Journal.End(result)
		kept.replay(t, "the run", text, assertions.Quiet, result, store.Settings{RunID: "r1"})

		loose := ReplaySettings{Inputs: r.settings.Inputs, Next: kept.reader(len(kept.lines)), Loose: true}
		loose.Store = store.New(Memberships(loose.Inputs), store.Settings{RunID: "r1"})
		if got, err := Replay(loose); err != nil || cmp.Diff(outcomes(result), outcomes(got)) != "" {
			t.Errorf("loosely judged again: %v, %v, want %v", err, outcomes(got), outcomes(result))
		}

		for n := range len(kept.lines) {
			s := ReplaySettings{Inputs: r.settings.Inputs, Next: kept.reader(n)}
			s.Store = store.New(Memberships(s.Inputs), store.Settings{RunID: "r1"})
			got, err := Replay(s)
			if err != nil || got.Ended != EndedByInterrupt || got.ExitCode(false) == ExitPassed {
				t.Fatalf("cut short after %d entries: %v, %+v", n, err, got)
			}
			if wrong := hasty(got); wrong != "" {
				t.Errorf("cut short after %d entries: %s", n, wrong)
			}
		}
	})
}

// hasty is a verdict on a flow that was open where a journal was cut short, though what
// may have come behind that could change it; "" if there is none.
func hasty(r *Result) string {
	for _, flow := range r.Files[0].Flows {
		if flow.Runs != nil && flow.Runs.Outcome == assertions.Fail {
			return flow.Runs.Assertion.Name + " fails"
		}
		for _, in := range flow.Instances {
			for _, v := range in.Verdicts {
				if in.Flow.Reason() == trace.ByEndOfRecording && !v.Early && (v.Outcome == assertions.Fail || v.Outcome == assertions.Pass && v.Grade == assertions.Quiet) {
					return fmt.Sprintf("%s of %s: %v, %v", v.Assertion.Name, in.Flow.ID, v.Outcome, v.Grade)
				}
			}
		}
	}
	return ""
}

// Exporters that send at once, in whatever order the store takes them, are replayed
// in that order.
func TestReplayOfConcurrentExporters(t *testing.T) {
	const exporters, requests = 8, 40
	text := `version: 1
defaults: {deadline: 300ms, quiet: 20ms}
flows:
  order:
    origin: name == "order"
    runs: any
    expect: [spans.count == 5, 'count(spans, .name == "step") <= 3', spans.exists]
`
	kept := &keptJournal{}
	s := Settings{Inputs: []Input{{Suite: load(t, text)}}, Journal: NewJournal(kept.keep), Random: rand.Reader}
	s.Store = store.New(Memberships(s.Inputs), store.Settings{RunID: "r1", Journal: s.Journal.Store})
	s.Drain = func(ctx context.Context) error {
		var wg sync.WaitGroup
		for e := range exporters {
			wg.Go(func() { exportShuffled(ctx, t, s.Store, uint64(e), requests) })
		}
		wg.Wait()
		return nil
	}
	result := Run(t.Context(), s)
	s.Journal.End(result)
	if n := len(result.Files[0].Flows[0].Instances); n < requests {
		t.Errorf("%d instances", n)
	}
	kept.replay(t, "concurrent exporters", text, assertions.Quiet, result, store.Settings{RunID: "r1"})
}

// exportShuffled sends orders of some steps, in any order and some of it twice.
func exportShuffled(ctx context.Context, t *testing.T, to *store.Store, seed uint64, requests int) {
	r := mathrand.New(mathrand.NewPCG(seed, 1))
	var w trace.Builder
	for i := range requests {
		w.SetResource(trace.ResourceData{Attrs: []trace.Attr{textAttr("service.name", fmt.Sprint("svc", seed)), textAttr("service.instance.id", fmt.Sprint(seed))}})
		now := trace.TimeOf(time.Now())
		for k := range r.Perm(2 + r.IntN(4)) {
			d := trace.SpanData{TraceID: trace.TraceID{byte(1 + i)}, ID: trace.SpanID{byte(1 + seed), byte(1 + k)}, Name: "step", Start: now, End: now}
			if k == 0 && seed%4 == 0 {
				d.Name = "order"
			} else {
				d.Parent = trace.SpanID{byte(1 + r.IntN(8)), 1}
			}
			w.Add(&d)
		}
		spans := w.Commit()
		for range 1 + r.IntN(2) {
			r.Shuffle(len(spans), func(a, b int) { spans[a], spans[b] = spans[b], spans[a] })
			batch := trace.Batch{Spans: slices.Clone(spans[:1+r.IntN(len(spans))]), Received: trace.TimeOf(time.Now()), Sender: fmt.Sprint("host:", seed)}
			if err := to.Consume(ctx, batch); err != nil {
				t.Error(err)
			}
		}
	}
}

// A journal of something else is an error, not another verdict.
func TestReplayOfAnotherRun(t *testing.T) {
	tests := []struct{ name, journal, want string }{
		{"nothing was handed out", `{"do":"judge","number":1}`, "other flows"},
		{"no flow to hand out", `{"do":"next","handed":true}`, "other flows"},
		{"an unknown flow", `{"do":"expect","flow":"nobody","traceId":"01000000000000000000000000000000","spanId":"0100000000000000"}`, "no such flow"},
		{"no id", `{"do":"answer","traceId":"zz"}`, "is no id"},
		{"an unknown deed", `{"do":"dance"}`, "this version"},
		{"an empty end", `{"do":"end"}`, "says nothing"},
	}
	for _, tt := range tests {
		k := &keptJournal{lines: [][]byte{[]byte(tt.journal)}, spans: make([][]trace.Span, 1)}
		s := ReplaySettings{Inputs: []Input{{Suite: load(t, orderFile)}}, Next: k.reader(1)}
		s.Store = store.New(Memberships(s.Inputs), store.Settings{})
		if _, err := Replay(s); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", tt.name, err, tt.want)
		}
	}
}

// A journal that cannot be written is told of, and stops nothing.
func TestJournalFails(t *testing.T) {
	full := errors.New("disk full")
	n := 0
	j := NewJournal(func(Entry) error { n++; return full })
	j.Store(store.Op{})
	j.Store(store.Op{})
	if !errors.Is(j.Err(), full) || n != 1 {
		t.Errorf("error %v after %d writes", j.Err(), n)
	}
}
