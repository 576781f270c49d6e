package run

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
)

var stresses = flag.Uint64("stresses", 12, "how much traffic TestOrderOfArrival makes up")

// trafficSuite has flows of every kind: parted by their origins, by a value, by
// trace, and as a whole. In each is one assertion that only closing decides, so that
// none closes before.
const trafficSuite = `version: 1
spans:
  serving: kind == "server"
  stocks: service == "stock" and kind == "server"
  mails: service == "mail" and kind == "consumer"
  payments: service == "payment" and kind == "server"
  outgoing: kind == "client"
flows:
  order:
    origin: name == "order"
    runs: any
    expect:
      - serving.count <= 9
      - stocks.count == 1
      - exactlyOnce(payments, .spanID)
      - stocks.before(payments)
      - mails.exists
      - origin.duration < 60ms
      - all(stocks, .parent.kind == "client")
      - none(outgoing, .status == "error")
      - all(payments, .children.count < 3)
      - stocks.causes(mails)
      - spans.maxConcurrency < 4
      - any(spans, .isOrphan)
      - spans.count < 1000000
    never: ['service == "audit" and kind == "consumer"']
    each: [{spans: payments, check: '.caller.service == "shop"'}]
    calls: |
      shop -> stock
      shop => payment, at most 2
      shop ~> mail
      stock !-> ship
    only: shop -> [stock, payment, mail]
  keyed:
    origin: name == "order" and service == "shop"
    stitch: {scope: subtree, keys: [order.id], hops: 1}
    runs: any
    expect: [spans.count < 12, mails.count == 1, spans.count < 1000000]
  value:
    origin: kind == "server"
    per: order.id
    runs: any
    expect: [spans.count < 20, stocks.count <= 2, origin.name == "order", spans.count < 1000000]
invariants:
  expect:
    - that: none(spans, .status == "error")
    - that: spans.count < 1000000
    - that: count(spans, .name == "order") == 7
      per: session
    - that: all(serving, .parent.kind == "client")
      per: session
    - that: spans.count < 2000000
      per: session
`

// What is found does not depend on the order in which spans arrive, on how they are
// batched, nor on how many exporters send at once while flows are judged.
func TestOrderOfArrival(t *testing.T) {
	for seed := range *stresses {
		size := []int{30, 100, 300}[seed%3]
		compareOrders(t, seed, newTraffic(seed, size).spans, 3)
		if t.Failed() {
			return
		}
	}
}

// One trace of 10,000 spans, as of a long test suite. Of its requests only some are
// origins: each one's failures are explained by what is near in the whole trace.
func TestOrderOfArrivalInOneTrace(t *testing.T) {
	spans := newTraffic(1, 10_000).spans
	for i := range spans {
		s := &spans[i]
		s.TraceID = trace.TraceID{15: 1}
		if s.Name == "order" && s.ID[7] != 0 {
			s.Name, s.Attrs = "part", nil
		}
		s.Links = slices.Clone(s.Links) // copies of a span share them
		for j := range s.Links {
			s.Links[j].TraceID = s.TraceID
		}
	}
	compareOrders(t, 1, spans, 1)
}

func compareOrders(t *testing.T, seed uint64, spans []sent, shuffles int) {
	t.Helper()
	in := inputs(t, trafficSuite)
	slices.SortStableFunc(spans, func(a, b sent) int { return cmp.Compare(a.Start, b.Start) })
	want := arrive(t, in, [][]sent{spans}, nil)
	r := rand.New(rand.NewPCG(seed, 12))
	for range shuffles {
		exporters := make([][]sent, 1+r.IntN(6))
		for _, i := range r.Perm(len(spans)) {
			e := r.IntN(len(exporters))
			exporters[e] = append(exporters[e], spans[i])
		}
		got := arrive(t, in, exporters, rand.New(rand.NewPCG(seed, 13)))
		if diff := difference(want, got); diff != "" {
			t.Errorf("seed %d, %d spans, %d exporters (-in order +shuffled)\n%s", seed, len(spans), len(exporters), diff)
			return
		}
	}
}

// difference shows the first lines that only one of two sorted lists has.
func difference(want, got []string) string {
	var b strings.Builder
	for i, j, shown := 0, 0, 0; (i < len(want) || j < len(got)) && shown < 40; {
		switch {
		case j == len(got) || i < len(want) && want[i] < got[j]:
			fmt.Fprintln(&b, "-", want[i])
			i, shown = i+1, shown+1
		case i == len(want) || got[j] < want[i]:
			fmt.Fprintln(&b, "+", got[j])
			j, shown = j+1, shown+1
		default:
			i, j = i+1, j+1
		}
	}
	return b.String()
}

// arrive judges what exporters send, each by itself, in batches of random sizes, or
// in one if there is no randomness.
func arrive(t *testing.T, in []Input, exporters [][]sent, random *rand.Rand) []string {
	t.Helper()
	flows := Memberships(in)
	st := store.New(flows, RecordedStore(0))
	r := newRunner(Settings{Inputs: in, Store: st})
	r.recorded = true
	var senders sync.WaitGroup
	for _, spans := range exporters {
		most := len(spans)
		if random != nil {
			most = []int{1, 7, 64, 500}[random.IntN(4)]
		}
		senders.Go(func() {
			var b trace.Builder
			for batch := range slices.Chunk(spans, max(1, most)) {
				if err := Record(context.Background(), st, trace.Batch{Spans: writeSpans(&b, batch)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	go func() {
		senders.Wait()
		st.Close(trace.ByEndOfRecording)
	}()
	r.judgeChanged(context.Background())
	return portrait(r)
}

// flowID is the name of a flow. Of several in one trace they are numbered as they come.
var flowID = regexp.MustCompile(`Flow \S+`)

// portrait is all that was found, in an order of its own.
func portrait(r *runner) []string {
	var lines []string
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	v := r.Store.View()
	name := func(n trace.Node) string {
		s := v.Span(n)
		return fmt.Sprint(s.Service(), "/", s.Name(), " ", s.Kind(), " ", s.ID().String()[12:])
	}
	for n := range trace.Node(v.Received()) {
		parent, edges := "none", []string(nil)
		if p, ok := v.Parent(n); ok {
			parent = name(p)
		}
		for c, rule := range v.Causes(n) {
			edges = append(edges, fmt.Sprint(" <- ", rule, " ", name(c)))
		}
		slices.Sort(edges)
		say("span %s x%d under %s%s", name(n), v.Copies(n), parent, strings.Join(edges, ""))
	}
	result := r.result()
	for _, file := range result.Files {
		for _, flow := range file.Flows {
			for _, in := range flow.Instances {
				f := in.Flow
				which := flow.Name + " " + f.TraceID.String()[:8]
				if n, ok := f.Origin(); ok {
					which = flow.Name + " of " + name(n)
				}
				say("%s: %d spans, %d cut, losses %v", which, f.Len(), f.Cut(), f.Losses())
				for i := range f.Len() {
					say("%s: %s by %s", which, name(f.Member(i)), f.JoinedBy(f.Member(i)))
				}
				for _, e := range f.OpenEdges() {
					say("%s: open %s of %s, maybe %d", which, e.Kind, name(e.Node), len(e.Strays))
				}
				for _, v := range in.Verdicts {
					why := ""
					if v.Evidence != nil {
						why = v.Evidence.Why
					}
					say("%s: %s: %s %s %v %q", which, v.Assertion.Name, v.Outcome, v.Grade, v.Vacuous, why)
				}
			}
		}
	}
	for _, w := range result.Warnings {
		say("warning: %s %s", w.What, flowID.ReplaceAllString(fmt.Sprint(w.Notes), "Flow"))
	}
	say("%d copies, unjoined %v", result.Received.Copies, result.Received.Unjoined)
	slices.Sort(lines)
	return lines
}
