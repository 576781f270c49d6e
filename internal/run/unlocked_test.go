package run

import (
	"context"
	"testing"
	"time"

	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
)

// A flow that was handed out is judged while the store is locked, in the middle of
// a batch: judging takes none of its locks, so it keeps no exporter waiting.
func TestJudgingTakesNoLock(t *testing.T) {
	in := inputs(t, trafficSuite)
	taking, goOn := make(chan struct{}), make(chan struct{})
	flows := Memberships(in)
	for i := range flows {
		if origin := flows[i].Origin; origin != nil {
			flows[i].Origin = func(s trace.Span) bool {
				if s.Name() == "last" {
					taking <- struct{}{}
					<-goOn
				}
				return origin(s)
			}
			break
		}
	}
	st := store.New(flows, RecordedStore(0))
	r := newRunner(Settings{Inputs: in, Store: st})
	var b trace.Builder
	consume := func(spans []sent) error {
		return Record(context.Background(), st, trace.Batch{Spans: writeSpans(&b, spans)})
	}
	if err := consume(newTraffic(3, 300).spans); err != nil {
		t.Fatal(err)
	}
	handed := changedFlows(st)
	if len(handed) < 10 {
		t.Fatalf("%d flows are not enough to judge", len(handed))
	}

	consumed := make(chan error)
	go func() {
		consumed <- consume([]sent{{trace.SpanData{TraceID: trace.TraceID{1}, ID: trace.SpanID{1}, Name: "last", Start: 1, End: 2}, "shop"}})
	}()
	<-taking
	judged := make(chan int)
	go func() {
		verdicts := 0
		for _, f := range handed {
			instance := r.judgedOf(f).instance
			verdicts += len(instance.Evaluate(f))
			verdicts += len(instance.Evaluate(f.WithState(trace.Closed, trace.ByDeadline)))
		}
		judged <- verdicts
	}()
	select {
	case verdicts := <-judged:
		if verdicts < len(handed) {
			t.Errorf("%d verdicts of %d flows", verdicts, len(handed))
		}
	case <-time.After(time.Minute):
		t.Error("judging waits for the store, which is taking a batch")
		defer func() { <-judged }()
	}
	close(goOn)
	if err := <-consumed; err != nil {
		t.Error(err)
	}
}

// changedFlows are those that the store hands out now.
func changedFlows(st *store.Store) (all []trace.Flow) {
	now, cancel := context.WithCancel(context.Background())
	cancel()
	for {
		f, err := st.Next(now)
		if err != nil {
			return all
		}
		all = append(all, f)
	}
}
