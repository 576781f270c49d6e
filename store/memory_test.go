package store_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
)

// None of several flows that share the memory is cut: waiting makes room.
func TestOfSeveralFlowsNoneIsCut(t *testing.T) {
	x := newTraffic(t, store.Settings{}, ordinary)
	sent := map[int]int{}
	for i := 0; ; i++ {
		n := i%3 + 1
		if err := x.send(n, sent[n]+1, sent[n]+20); errors.Is(err, store.ErrFull) {
			break
		}
		if sent[n] += 20; i > 10_000 {
			t.Fatal("the store is never full")
		}
	}
	for n, spans := range sent {
		x.intact(n, spans)
	}
}

// What is open stays; who sends more is told to come again, and is let in when the
// oldest flow has reached its deadline and was judged.
func TestAFullStoreWaitsForTheOldestFlow(t *testing.T) {
	m := ordinary
	m.Timing.Deadline = 10 * time.Second
	x := newTraffic(t, store.Settings{}, m)
	open := x.fill()
	for n := 1; n <= open; n++ {
		x.intact(n, 20)
	}
	if got := x.store.Stats().Refused; got != 20 {
		t.Errorf("%d spans count as refused, want 20", got)
	}
	x.now = x.now.Add(11 * time.Second)
	for _, f := range x.look() {
		if f.State() == trace.Closed && f.Reason() == trace.ByDeadline {
			if err := x.send(open+1, 1, 20); !errors.Is(err, store.ErrFull) {
				t.Fatalf("before a flow that closed was judged: error %v", err)
			}
			x.store.Release(f)
			break
		}
	}
	// One flow makes less room than the block takes that the request begins.
	for _, f := range x.look() {
		x.store.Release(f)
	}
	for _, f := range x.flows {
		x.store.Release(f)
	}
	if err := x.send(open+1, 1, 20); err != nil {
		t.Fatalf("after the flows were judged: %v", err)
	}
	f := x.flow(open + 1)
	if l := f.Losses(); len(l) > 0 || x.store.Stats().Refused > 0 {
		t.Errorf("losses %v, %d refused: the spans came after all", l, x.store.Stats().Refused)
	}
	x.intact(open+1, 20)
}

func TestARefusalIsALossToItsFlow(t *testing.T) {
	x := newTraffic(t, store.Settings{}, ordinary)
	open := x.fill()
	var err error
	for range 100 {
		if err = x.send(1, 21, 40); err != nil {
			break
		}
	}
	if !errors.Is(err, store.ErrFull) {
		t.Fatalf("error %v, want ErrFull", err)
	}
	x.store.Close(trace.ByEndOfRun)
	x.look()
	if l := x.flow(1).Losses(); len(l) != 1 || l[0].Count != 20 || !strings.Contains(l[0].What, "--memory") {
		t.Errorf("losses %v, want 20 refused spans", l)
	}
	if l := x.flow(open).Losses(); len(l) > 0 {
		t.Errorf("losses %v to a flow that lacks nothing", l)
	}
}

// For a request that never fits nothing makes room.
func TestARequestThatNeverFits(t *testing.T) {
	x := newTraffic(t, store.Settings{}, ordinary)
	if err := x.send(1, 1, 20); err != nil {
		t.Fatal(err)
	}
	if err := x.send(2, 1, 20_000); !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("error %v, want ErrTooLarge", err)
	}
	x.store.Close(trace.ByEndOfRun)
	x.look()
	for _, l := range x.flow(1).Losses() {
		if strings.Contains(l.What, "given up") {
			t.Errorf("the flow that was there lost %d: %s", l.Count, l.What)
		}
	}
}

// A flow that alone takes everything goes on without its oldest spans. Who sends is
// not kept waiting, and other flows lose nothing.
func TestAFlowThatTakesAllIsCut(t *testing.T) {
	all := trace.Membership{Flow: "all", Opens: trace.OpensBySession}
	for name, flows := range map[string][]trace.Membership{
		"a session":     {all, ordinary},
		"a large trace": {ordinary},
	} {
		t.Run(name, func(t *testing.T) {
			x := newTraffic(t, store.Settings{}, flows...)
			total := 0
			for i := range 400 {
				n := i + 1
				if name == "a large trace" {
					n = 1
				}
				if err := x.send(n, total+1, total+50); err != nil {
					t.Fatalf("request %d: %v", i, err)
				}
				if total += 50; name == "a session" {
					total = 0
					x.finish(n)
				}
			}
			x.look()
			var cut trace.Flow
			for _, f := range x.flows {
				if f.Declaration == flows[0].Flow {
					cut = f
				}
			}
			if l := cut.Losses(); len(l) != 1 || l[0].Count < 5000 || !strings.Contains(l[0].What, "--memory") {
				t.Errorf("losses %v", l)
			}
			if cut.State() == trace.Closed || cut.Evicted() || cut.Len() != 20_000 {
				t.Errorf("it is %v with %d spans, evicted: %v", cut.State(), cut.Len(), cut.Evicted())
			}
			if n, ok := cut.Origin(); ok && cut.Span(n).Evicted() {
				t.Error("its origin was evicted")
			}
			if name == "a session" {
				for n := 390; n <= 400; n++ {
					x.intact(n, 50)
					if l := x.flow(n).Losses(); len(l) > 0 {
						t.Errorf("flow %d: losses %v", n, l)
					}
				}
			}
		})
	}
}

// Where a flow that was cut starts is kept: its origin, and what triggered it.
func TestACutFlowKeepsItsTrigger(t *testing.T) {
	x := newTraffic(t, store.Settings{}, trace.Membership{Flow: "f", Opens: trace.OpensByTrigger, Origin: named("origin")})
	trigger := x.span(1, 30_000)
	trigger.Name, trigger.Parent = "POST", trace.SpanID{}
	if _, err := x.store.Expect("f", trigger.TraceID, trigger.ID); err != nil {
		t.Fatal(err)
	}
	x.builder.Add(trigger)
	for i := range 400 {
		if err := x.send(1, 50*i+1, 50*i+50); err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
	}
	f := x.flow(1)
	origin, _ := f.Origin()
	own, ok := f.Trigger()
	if len(f.Losses()) != 1 || !ok || f.Span(own).Evicted() || f.Span(origin).Evicted() {
		t.Errorf("losses %v, trigger there: %v", f.Losses(), ok)
	}
}

// A trace of a recording that takes everything is not cut: the recording does not fit.
func TestARecordedTraceIsNotCut(t *testing.T) {
	x := newTraffic(t, store.Settings{Recorded: true}, ordinary)
	for from := 1; ; from += 50 {
		err := x.send(1, from, from+49)
		if err == nil {
			continue
		}
		if !errors.Is(err, store.ErrFull) || x.store.CloseOldest() {
			t.Errorf("%v, and something may make room", err)
		}
		break
	}
	if l := x.flow(1).Losses(); slices.ContainsFunc(l, func(l trace.Loss) bool { return strings.Contains(l.What, "given up") }) {
		t.Errorf("losses %v", l)
	}
}
