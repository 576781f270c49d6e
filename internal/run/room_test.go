package run

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
)

// sendLarge sends an order of 20 spans, each with 4 KB of text that is its own.
func (r *testRun) sendLarge(w *trace.Builder, number int, also ...string) error {
	now := trace.TimeOf(time.Now())
	w.SetResource(trace.ResourceData{Attrs: []trace.Attr{textAttr("service.name", "shop"), textAttr("service.instance.id", "shop")}})
	for i, name := range append([]string{"order", "mail", 19: "work"}, also...) {
		d := trace.SpanData{Name: name, Start: now, End: now, Attrs: []trace.Attr{textAttr("text", strings.Repeat(fmt.Sprintf("%d/%d ", number, i), 600))}}
		binary.BigEndian.PutUint32(d.TraceID[:], uint32(number))
		binary.BigEndian.PutUint32(d.ID[:], uint32(number))
		d.ID[7] = byte(i + 1)
		if i > 0 {
			binary.BigEndian.PutUint32(d.Parent[:], uint32(number))
			d.Parent[7] = 1
		}
		w.Add(&d)
	}
	return r.settings.Store.Consume(context.Background(), trace.Batch{Spans: w.Commit()})
}

// However many flows there are: what was judged makes room, what failed last.
func TestRunMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const orders = 1200
		r := newTestRun(t, fmt.Sprintf(`version: 1
flows:
  order:
    origin: name == "order"
    runs: exactly %d
    expect:
      - name: a mail
        that: any(spans, .name == "mail")
    never:
      - name: nothing bad
        that: name == "bad"
  compared:
    origin: name == "compared"
    across:
      runs: 1
      expect:
        - all(runs, .duration < 1h)
`, orders))
		r.settings.Store = store.New(Memberships(r.settings.Inputs), store.Settings{Bytes: 32 << 20})
		go func() {
			var w trace.Builder
			for n := 1; n <= orders; n++ {
				var also []string
				switch n {
				case 2:
					also = []string{"bad"}
				case 3:
					also = []string{"compared"}
				}
				if err := r.sendLarge(&w, n, also...); err != nil {
					t.Errorf("order %d: %v", n, err)
				}
				time.Sleep(10 * time.Millisecond)
				if n == orders-1 {
					// Spans for the first flow, which is long gone.
					if err := r.sendLarge(&w, 1, "late"); err != nil {
						t.Error(err)
					}
				}
			}
		}()
		result := Run(t.Context(), r.settings)
		stats := r.settings.Store.Stats()
		if stats.Evicted < orders/2 || stats.Late == 0 {
			t.Errorf("%d flows made room, %d spans came too late", stats.Evicted, stats.Late)
		}
		instances := result.Files[0].Flows[0].Instances
		if len(instances) != orders {
			t.Fatalf("%d instances, want %d", len(instances), orders)
		}
		if compared := result.Files[0].Flows[1]; len(compared.Instances) != 1 || compared.Instances[0].Flow.Evicted() || compared.Across[0].Outcome != assertions.Pass {
			t.Errorf("what is compared made room, or does not hold: %+v", compared)
		}
		for i, in := range instances {
			want := [2]assertions.Outcome{assertions.Pass, assertions.Pass}
			switch i {
			case 0:
				want[1] = assertions.Inconclusive // Who knows what the late span was.
			case 1:
				want[1] = assertions.Fail
				if in.Flow.Evicted() {
					t.Error("the flow that failed made room")
				}
			}
			for k, v := range in.Verdicts {
				if v.Outcome != want[k] {
					t.Errorf("order %d: %s: %v (%s), want %v", i+1, v.Assertion.Name, v.Outcome, v.Explanation().Why, want[k])
				}
			}
		}
		if len(result.Warnings) > 0 {
			t.Errorf("warnings: %+v", result.Warnings)
		}
	})
}

// The span of a trigger is sent again when there is memory for it, like that of anybody.
func TestRunKeepsTheSpanOfATrigger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTestRun(t, `version: 1
flows:
  order: {origin: name == "order", runs: any, timing: {deadline: 5s}, expect: [spans.count < 1000]}
  made: {trigger: {grpc: {target: x, method: a.B/C}}, expect: [response.status == 0]}
`)
		r.settings.Store = store.New(Memberships(r.settings.Inputs), store.Settings{Bytes: 32 << 20})
		r.settings.Random = rand.Reader
		r.settings.GRPC = func(GRPCCall) Action {
			return acted{func(TraceContext) {
				var w trace.Builder
				for n := 1; r.sendLarge(&w, n) == nil; n++ {
				}
				now := trace.TimeOf(time.Now())
				for n, err := uint32(1), error(nil); err == nil; n++ {
					var small trace.Builder
					d := trace.SpanData{TraceID: trace.TraceID{9}, ID: trace.SpanID{1}, Name: "order", Start: now, End: now}
					binary.BigEndian.PutUint32(d.TraceID[4:], n)
					small.Add(&d)
					err = r.settings.Store.Consume(context.Background(), trace.Batch{Spans: small.Commit()})
				}
			}}
		}
		result := Run(t.Context(), r.settings)
		for _, s := range result.Steps {
			if s.Failed() {
				t.Errorf("a step failed: %s", s.Err)
			}
		}
		if f := result.Files[0].Flows[1].Instances[0].Flow; f.Len() != 1 {
			t.Errorf("the trigger's flow has %d spans, want its own", f.Len())
		}
	})
}
