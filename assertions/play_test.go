package assertions_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/store/storetest"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

// arrival splits spans into batches, in the order in which they arrive.
type arrival func([]sketch.Arrival) [][]sketch.Arrival

// inTurn is one batch per span, in the order of the sketch's arrivals.
func inTurn(all []sketch.Arrival) [][]sketch.Arrival {
	var out [][]sketch.Arrival
	for _, a := range all {
		out = append(out, []sketch.Arrival{a})
	}
	return out
}

// shuffled is a random order in batches of random size.
func shuffled(r *rand.Rand) arrival {
	return func(all []sketch.Arrival) [][]sketch.Arrival {
		all = append([]sketch.Arrival{}, all...)
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		most := 1 + r.IntN(8)
		var out [][]sketch.Arrival
		for at := 0; len(all) > 0; {
			n := min(1+r.IntN(most), len(all))
			batch := all[:n]
			for i := range batch {
				at++
				batch[i].At = sketch.Base.Add(time.Duration(at) * time.Millisecond)
			}
			out, all = append(out, batch), all[n:]
		}
		return out
	}
}

// play judges every flow of a sketch and returns the verdicts by flow, instance
// and assertion.
func play(t testing.TB, suite *assertions.Suite, text string, order arrival) map[string]assertions.Verdict {
	t.Helper()
	return playFlows(t, suite, text, order, func(trace.Flow) bool { return true })
}

// playClosed is play without looking before everything has arrived.
func playClosed(t testing.TB, suite *assertions.Suite, text string) map[string]assertions.Verdict {
	t.Helper()
	return playFlows(t, suite, text, inTurn, func(f trace.Flow) bool { return f.State() == trace.Closed })
}

func playFlows(t testing.TB, suite *assertions.Suite, text string, order arrival, look func(trace.Flow) bool) map[string]assertions.Verdict {
	t.Helper()
	s, err := sketch.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	p := storetest.New(suite.Memberships(), store.Settings{})
	instances := map[*trace.FlowRecord]*assertions.Instance{}
	found := map[*trace.FlowRecord][]assertions.Verdict{}
	judge := func(flows []trace.Flow) {
		for _, f := range flows {
			if f.State() == trace.Retracted {
				delete(instances, f.FlowRecord)
				delete(found, f.FlowRecord)
				continue
			}
			if !look(f) {
				continue
			}
			if instances[f.FlowRecord] == nil {
				instances[f.FlowRecord] = suite.Open(f.Declaration)
			}
			found[f.FlowRecord] = append(found[f.FlowRecord], instances[f.FlowRecord].Evaluate(f)...)
		}
	}
	for _, batch := range order(s.Arrivals) {
		judge(p.Arrive(batch...))
	}
	closed := p.Close(trace.ByEndOfRecording)
	judge(closed)
	for _, f := range closed {
		if in := instances[f.FlowRecord]; in != nil {
			in.Complete(f, found[f.FlowRecord])
		}
	}
	out := map[string]assertions.Verdict{}
	for record, verdicts := range found {
		for i, v := range verdicts {
			key := fmt.Sprintf("%s %s %s #%d", record.Declaration, record.ID, v.Assertion.Name, v.Assertion.Range.Start)
			if _, twice := out[key]; twice {
				t.Errorf("%s is decided twice", key)
			}
			out[key] = verdicts[i]
		}
	}
	return out
}
