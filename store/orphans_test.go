package store_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/store/storetest"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

// The orphans of a large trace are looked for in another way than those of a small one,
// and the same are found: what a few spans say is not changed by many that are none.
func TestOrphansOfLargeTraces(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	found := map[string]int{}
	for range 300 {
		var few strings.Builder
		few.WriteString("resource far host.id=h2\n" + pick("", "resource shop host.id=\"\"\n") + `
suite  tests  internal  -100..900ms  #run
  shop  order  100..150ms  `)
		few.WriteString(pick("", "at=1500ms") + "\n  shop  order  300..350ms\n")
		for i := range 1 + r.IntN(4) {
			start := r.IntN(700) - 100 + r.IntN(2)*1000
			fmt.Fprintf(&few, "%s  orphan %d  %s  %d..%dms  trace=#run %s at=%dms\n", pick("shop", "far"), i, pick("server", "consumer", "internal", "client"),
				start, start+10, pick("parent=missing", "parent=missing", "parent=#run"), start+10+r.IntN(2)*3000)
		}
		want := orphansOf(few.String())
		got := orphansOf(few.String() + strings.Repeat("beside  work  internal  0..10ms  trace=#run parent=#run\n", 40))
		if got != want {
			t.Fatalf("of a large trace %q, of a small one %q:\n%s", got, want, few.String())
		}
		found[want]++
	}
	if len(found) < 5 {
		t.Errorf("too few kinds of traces: %v", found)
	}
}

// orphansOf plays a sketch, closes what there is after 2s, and names the orphans that the
// flows may miss in the end.
func orphansOf(text string) (names string) {
	s := sketch.MustParse(text)
	p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{RunTrace: s.Labels["run"].TraceID(), RunSpan: s.Labels["run"].ID()})
	flows, closed := map[string]trace.Flow{}, false
	see := func(changed []trace.Flow) {
		for _, f := range changed {
			flows[f.ID] = f
		}
	}
	for _, a := range s.Arrivals {
		if !closed && a.At > sketch.Base.Add(2*time.Second) {
			closed = true
			for _, id := range slices.Sorted(maps.Keys(flows)) {
				p.Store.CloseFlow(flows[id], trace.BySilence)
			}
		}
		see(p.Arrive(a))
	}
	see(p.Wait(10 * time.Second))
	see(p.Close(trace.ByEndOfRun))
	for _, id := range slices.Sorted(maps.Keys(flows)) {
		for _, e := range flows[id].OpenEdges() {
			if e.Kind == trace.WaitsForParent {
				names += flows[id].Span(e.Node).Name() + " "
			}
		}
		names += "| "
	}
	return names
}
