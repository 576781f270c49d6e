package store_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/store/storetest"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

// Only what changes is looked at: with work that grows with the number of open
// flows the second load would take a hundred times as long as the first.
func TestOpenFlowsCostNothingWhileNothingHappens(t *testing.T) {
	const turns = 400
	cost := func(open int, shared bool) time.Duration {
		l := newLoad(t, open, shared)
		best := time.Hour
		for range 5 {
			start := time.Now()
			for range turns {
				l.turn()
			}
			best = min(best, time.Since(start))
		}
		return best
	}
	for _, shared := range []bool{false, true} {
		if few, many := cost(50, shared), cost(5000, shared); many > 10*few {
			t.Errorf("%d turns took %v with 5000 open flows and %v with 50 (in one trace: %v)", turns, many, few, shared)
		}
	}
}

func TestMembershipDoesNotDependOnTheOrderOfArrival(t *testing.T) {
	tests := []struct {
		name, sketch, want string
	}{
		{"two origins, of which one turns out to lie under the other", `
test   suite  internal  0..100ms
  shop  order  5..60ms
    shop  retry  internal  10..50ms  at=200ms
      shop  order  15..40ms
  test  other  internal  70..80ms`, `
f closed end of the recording
  shop order
  shop order
  shop retry
  test other
  test suite
`},
		{"a parent in another trace that is no member", `
shop  order  0..50ms  #o
far   above  internal  0..90ms  at=2s
  far  linked  internal  10..80ms  link=#o`, `
f closed end of the recording
  far linked
  shop order
`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{})
			for _, a := range sketch.MustParse(tt.sketch).Arrivals {
				p.Arrive(a)
			}
			p.Wait(time.Second)
			got := "\n"
			for _, f := range p.Close(trace.ByEndOfRecording) {
				got += describe(f)
			}
			for _, rule := range []string{"origin", "trace", "parent", "link"} {
				got = strings.ReplaceAll(got, " ("+rule+")", "")
			}
			if diff := cmp.Diff(sortedLines(tt.want), sortedLines(got)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// Of several origins of one instance the first by start is the origin, and spans
// that a value joins are compared with that one.
func TestTheOriginDoesNotDependOnTheOrderOfArrival(t *testing.T) {
	const text = `
queue  step  server  20..29ms  job=1 order=7
queue  step  server  0..9ms  job=1
audit  note  internal  10..11ms  order=7
`
	members := map[string]trace.Membership{
		"value":   {Opens: trace.OpensByKey, Keys: by("order"), Per: func(s trace.Span) (string, bool) { v, ok := s.Attr("job"); return v.String(), ok }},
		"session": {Opens: trace.OpensBySession},
	}
	all := sketch.MustParse(text).Arrivals
	for name, m := range members {
		m.Flow, m.Origin = name, named("step")
		for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
			p := storetest.New([]trace.Membership{m}, store.Settings{})
			for _, i := range order {
				p.Arrive(all[i])
			}
			flows := p.Close(trace.ByEndOfRecording)
			if len(flows) != 1 || flows[0].Len() != 3 {
				t.Errorf("%s, in the order %v: %v, want one flow of 3 spans", name, order, flows)
				continue
			}
			if n, _ := flows[0].Origin(); flows[0].Span(n).Start() != sketch.Base {
				t.Errorf("%s, in the order %v: the origin is not the first", name, order)
			}
		}
	}
}

// The trace was taken for one flow, until a second origin came.
func TestWhatLeavesAFlowIsAStray(t *testing.T) {
	p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{})
	for _, a := range sketch.MustParse(`
test  suite  internal  0..100ms
  shop  order  10..20ms
  shop  other  internal  21..25ms
  shop  order  30..40ms`).Arrivals {
		p.Arrive(a)
	}
	got := map[string]bool{}
	for v, n := p.Store.View(), trace.Node(0); int(n) < v.Received(); n++ {
		got[v.Span(n).Name()] = v.Caused(n)
	}
	if want := map[string]bool{"suite": false, "order": true, "other": false}; !maps.Equal(got, want) {
		t.Errorf("caused by a flow: %v, want %v", got, want)
	}
}

// The parent that a member waits for is no member itself; that it arrives still
// means that nothing is missing.
func TestAnEdgeClosesThoughItsOtherEndIsNoMember(t *testing.T) {
	p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{})
	all := sketch.MustParse(`
shop  order  0..50ms  #o
far   above  internal  0..90ms  at=2s
  far  linked  internal  10..80ms  link=#o`).Arrivals
	p.Arrive(all[0])
	if f := p.Arrive(all[1])[0]; len(f.OpenEdges()) != 1 {
		t.Fatalf("before the parent came: %s", describe(f))
	}
	p.Arrive(all[2])
	if got := p.Wait(10 * time.Second); len(got) != 1 || got[0].State() != trace.Complete {
		t.Errorf("after the parent came: got %v, want a complete flow", got)
	}
}

func TestAFlowForAValueHappensOnce(t *testing.T) {
	m := trace.Membership{Flow: "f", Origin: named("step"), Opens: trace.OpensByKey, Scope: trace.ScopeValue,
		Per: func(s trace.Span) (string, bool) { v, ok := s.Attr("job"); return v.String(), ok }}
	p := storetest.New([]trace.Membership{m}, store.Settings{})
	all := sketch.MustParse("queue  step  0..9ms  job=1\nqueue  step  20..29ms  job=1").Arrivals
	p.Store.CloseFlow(p.Arrive(all[0])[0], trace.BySilence)
	if f := p.Arrive(all[1]); len(f) != 1 || f[0].State() != trace.Closed || f[0].Len() != 2 {
		t.Errorf("a span that came late: got %v, want the closed flow with 2 spans", f)
	}
}

// A span may arrive while the caller makes up its mind to close what it has seen.
func TestClosingDoesNotHideWhatTheCallerHasNotSeen(t *testing.T) {
	p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{})
	all := sketch.MustParse("shop  order  0..50ms\n  shop  late  internal  5..60ms").Arrivals
	seen := p.Arrive(all[0])[0]
	batch := trace.Batch{Spans: []trace.Span{all[1].Span}}
	if err := p.Store.Consume(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	p.Store.CloseFlow(seen, trace.BySilence)
	if f := p.Changed(); len(f) != 1 || f[0].Len() != 2 {
		t.Errorf("got %v, want the flow with the span that was not seen", f)
	}
}
