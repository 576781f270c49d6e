package report

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/followspan/followspan/trace"
)

// Bars stay on the axis and in the order of time, and touch the cell of what is left
// out only if they last over it.
func TestAxis(t *testing.T) {
	cuts := 0
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 1))
		a := axis{cells: leastBar + r.IntN(mostBar-leastBar)}
		var times []trace.Time
		var all []interval
		for range 3 + r.IntN(6) {
			start := trace.Time(1e9 + r.Uint64N(1000))
			i := interval{start, start + trace.Time(r.Uint64N(1000))}
			if r.IntN(3) == 0 {
				i.start, i.end = i.start+1e6, i.end+1e6 // much later
			}
			if r.IntN(4) == 0 {
				i.end = i.start
			}
			a.take(clock{}, i)
			all, times = append(all, i), append(times, i.start, i.end)
		}
		a.leaveOut(times)
		cuts += boolInt(a.isCut())
		slices.SortFunc(all, func(i, j interval) int { return int(i.start) - int(j.start) })
		before := 0
		for _, i := range all {
			first, end := a.bar(i)
			if first < before || end <= first || end > a.cells {
				t.Fatalf("seed %d: %v is drawn from %d to %d of %d cells, the one before it from %d", seed, i, first, end, a.cells, before)
			}
			if cell := a.cutCell(); a.isCut() && (first <= cell && cell < end) != a.crosses(i) {
				t.Fatalf("seed %d: %v is drawn from %d to %d, what is left out is %d, of %v", seed, i, first, end, cell, a.cut)
			}
			before = first
		}
	}
	if cuts < 100 {
		t.Errorf("only %d axes were cut", cuts)
	}
}

// Nothing is left out unless most of the axis would show nothing.
func TestAxisIsNotCut(t *testing.T) {
	ms := func(n int) trace.Time { return trace.Time(time.Duration(n) * time.Millisecond) }
	for name, times := range map[string][]trace.Time{
		"two spans":           {ms(0), ms(1), ms(1000), ms(1001)},
		"an even spread":      {ms(0), ms(300), ms(500), ms(600), ms(800), ms(1001)},
		"no length":           {ms(5), ms(5), ms(5), ms(5), ms(5), ms(5)},
		"one that lasts":      {ms(0), ms(0), ms(0), ms(1001), ms(1001), ms(1001)},
		"less than is wanted": {ms(0), ms(50), ms(100), ms(150), ms(900), ms(1001)},
	} {
		a := axis{cells: 20, period: period{times[0], times[len(times)-1]}}
		if a.leaveOut(times); a.isCut() {
			t.Errorf("%s: %v is left out", name, a.cut)
		}
	}
}
