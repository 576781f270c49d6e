package store_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/store/storetest"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

// What a flow waits for that followspan triggered itself. Nothing that comes an hour late
// has come.
func TestOpenEdgesOfATrigger(t *testing.T) {
	order := named("order")
	tests := []struct {
		name, sketch string
		origin       func(trace.Span) bool
		want         string
	}{
		{"what somebody did", `
followspan  POST  client  0..60ms  #trigger
  shop  order  10..50ms`, nil, ""},
		{"nothing came of it", `
followspan  POST  client  0..60ms  #trigger`, nil, "origin"},
		{"it was refused, and nothing came of it", `
followspan  POST  client  0..60ms  error error.type=connection_refused  #trigger`, nil, ""},
		{"it timed out, and nothing came of it", `
followspan  POST  client  0..60ms  error error.type=timeout  #trigger`, nil, "origin"},
		{"it failed with an answer, and nothing came of it", `
followspan  POST  client  0..60ms  error http.response.status_code=500  #trigger`, nil, "origin"},
		{"its own span is missing, and what is above another", `
followspan  POST  client  0..60ms  at=1h  #trigger
  shop  pay  server  30..40ms
shop  refund  server  30..40ms  trace=#trigger parent=missing`, nil, "origin, parent of refund"},
		{"the origin", `
followspan  POST  client  0..60ms  #trigger
  shop  order  10..50ms`, order, ""},
		{"something else than the origin", `
followspan  POST  client  0..60ms  #trigger
  shop  login  10..50ms`, order, "origin"},
		{"the origin, and its own span is missing", `
followspan  POST  client  0..60ms  at=1h  #trigger
  shop  order  10..50ms`, order, "origin"},
		{"a trace of its own that a link led to", `
followspan  POST  client  0..60ms  #trigger
  shop  order  10..50ms  #order
mail  note  internal  60..70ms  link=#order`, order, ""},
		{"an origin in a trace that a link led to: what is missing in either trace, not above the origin", `
followspan  POST  client  0..60ms  #trigger
  front  submit  1..55ms  #submit
front  audit  server  20..25ms  trace=#trigger parent=missing
shop   order  server  10..50ms  link=#submit parent=missing  #order
  shop  pay  client  20..40ms  #pay
bank   charge  server  30..39ms  trace=#order parent=missing link=#submit`, order, "parent of audit, parent of charge"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := sketch.MustParse(tt.sketch)
			p := storetest.New([]trace.Membership{{Flow: "f", Opens: trace.OpensByTrigger, Origin: tt.origin}}, store.Settings{})
			if _, err := p.Store.Expect("f", s.Labels["trigger"].TraceID(), s.Labels["trigger"].ID()); err != nil {
				t.Fatal(err)
			}
			for _, a := range s.Arrivals {
				if a.At.Sub(sketch.Base) < time.Hour {
					p.Arrive(a)
				}
			}
			p.Wait(10 * time.Second)
			f := p.Close(trace.ByEndOfRun)[0]
			var got []string
			for _, e := range f.OpenEdges() {
				text := e.Kind.String()
				if e.Node != trace.None {
					text += " of " + f.Span(e.Node).Name()
				}
				got = append(got, text)
			}
			if g := strings.Join(got, ", "); g != tt.want {
				t.Errorf("open edges: got %q, want %q", g, tt.want)
			}
		})
	}
}

// A trigger's span belongs to nothing but what it triggered.
func TestATriggersSpanIsOfItsFlowAlone(t *testing.T) {
	s := sketch.MustParse(`
followspan  POST  client  0..60ms  #trigger
  shop  order  10..50ms`)
	p := storetest.New([]trace.Membership{
		{Flow: "triggered", Opens: trace.OpensByTrigger},
		{Flow: "trace", Opens: trace.OpensByTrace},
		{Flow: "session", Opens: trace.OpensBySession},
	}, store.Settings{})
	if _, err := p.Store.Expect("triggered", s.Labels["trigger"].TraceID(), s.Labels["trigger"].ID()); err != nil {
		t.Fatal(err)
	}
	p.Arrive(s.Arrivals...)
	got := map[string]int{}
	for _, f := range p.Close(trace.ByEndOfRun) {
		got[f.Declaration] = f.Len()
	}
	if got["triggered"] != 2 || got["trace"] != 1 || got["session"] != 1 {
		t.Errorf("spans by flow: %v, want 2 of the triggered one and 1 of the others", got)
	}
}

// What followspan itself sends neither proves nor spoils anything.
func TestATriggerNeedsNoWatermark(t *testing.T) {
	s := sketch.MustParse("resource shop followspan.run.id=r1" + `
followspan  POST  client  0..60ms  #trigger
  shop  order  10..50ms
shop  order  70..90ms`)
	p := storetest.New([]trace.Membership{{Flow: "f", Opens: trace.OpensByTrigger}, {Flow: "order", Origin: named("order")}}, store.Settings{RunID: "r1"})
	p.From = straight
	if _, err := p.Store.Expect("f", s.Labels["trigger"].TraceID(), s.Labels["trigger"].ID()); err != nil {
		t.Fatal(err)
	}
	var f trace.Flow
	for _, a := range s.Arrivals {
		for _, changed := range p.Arrive(a) {
			if changed.Declaration == "f" {
				f = changed
			}
		}
	}
	if f.State() != trace.Complete || f.Reason() != trace.ByWatermarks || len(f.Marks()) != 1 || f.Marks()[0].Service != "shop" {
		t.Errorf("%v by %v, with the marks %v; want it complete by watermarks, with one of the shop", f.State(), f.Reason(), f.Marks())
	}
}

// Nor is a stranger waited for because of it, where the run started everybody else.
func TestATriggerIsNobodyElse(t *testing.T) {
	s := sketch.MustParse("resource shop followspan.run.id=r1" + `
followspan  POST  client  0..60ms  #trigger
  shop  order  10..50ms
    shop  call  client  11..20ms  server.address=gateway.example`)
	p := storetest.New([]trace.Membership{{Flow: "f", Opens: trace.OpensByTrigger}}, store.Settings{RunID: "r1"})
	if _, err := p.Store.Expect("f", s.Labels["trigger"].TraceID(), s.Labels["trigger"].ID()); err != nil {
		t.Fatal(err)
	}
	p.Arrive(s.Arrivals...)
	if got := p.Wait(500 * time.Millisecond); len(got) != 1 || got[0].State() != trace.Complete {
		t.Errorf("after 500ms: %v, want a complete flow", got)
	}
}

// A value under two triggers joins nothing, and takes nothing else away.
func TestTriggersThatShareAValue(t *testing.T) {
	s := sketch.MustParse(`
followspan  POST  client  0..60ms  #one
  shop  order  10..50ms  tier=gold  #order
mail  note  internal  60..65ms  link=#order
mail  send  internal  70..80ms  tier=gold
followspan  POST  client  90..160ms  #two
  shop  order  100..150ms  tier=gold`)
	p := storetest.New([]trace.Membership{{Flow: "f", Opens: trace.OpensByTrigger, Keys: by("tier")}}, store.Settings{})
	for _, label := range []string{"one", "two"} {
		if _, err := p.Store.Expect("f", s.Labels[label].TraceID(), s.Labels[label].ID()); err != nil {
			t.Fatal(err)
		}
	}
	for _, a := range s.Arrivals {
		p.Arrive(a)
	}
	var got []string
	for _, f := range p.Close(trace.ByEndOfRun) {
		got = append(got, sortedLines(describe(f)))
		if n, ok := f.Origin(); !ok || f.Span(n).Service() != "followspan" {
			t.Errorf("the trigger is not the origin of %s", describe(f))
		}
	}
	slices.Sort(got)
	want := []string{
		"f closed end of the run\n  followspan POST (trace)\n  mail note (link)\n  open: silence\n  shop order (trace)",
		"f closed end of the run\n  followspan POST (trace)\n  open: silence\n  shop order (trace)",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
