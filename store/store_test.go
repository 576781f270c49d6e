package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/store/storetest"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func named(name string) func(trace.Span) bool {
	return func(s trace.Span) bool { return s.Name() == name }
}

// by correlates by one attribute of spans.
func by(key string) []trace.Correlation {
	return []trace.Correlation{{Key: key, Of: func(s trace.Span) (trace.Value, bool) { return s.Attr(key) }}}
}

// describe renders a flow: its members with the rules that joined them, then what is open.
func describe(f trace.Flow) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s", f.Declaration, f.State(), f.Reason())
	if f.Cut() > 0 {
		fmt.Fprintf(&b, " cut=%d", f.Cut())
	}
	b.WriteString("\n")
	for i := range f.Len() {
		n := f.Member(i)
		fmt.Fprintf(&b, "  %s %s (%s)", f.Span(n).Service(), f.Span(n).Name(), f.JoinedBy(n))
		if f.Copies(n) > 1 {
			fmt.Fprintf(&b, " x%d", f.Copies(n))
		}
		b.WriteString("\n")
	}
	for _, e := range f.OpenEdges() {
		fmt.Fprintf(&b, "  open: %s", e.Kind)
		if e.Node != trace.None {
			fmt.Fprintf(&b, " of %s", f.Span(e.Node).Name())
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestTrigger(t *testing.T) {
	s := sketch.MustParse(`
followspan  POST /order  client  0..60ms
  shop  order  1..50ms`)
	var root trace.Span
	for _, sp := range s.Spans() {
		if sp.Service() == "followspan" {
			root = sp
		}
	}
	p := storetest.New([]trace.Membership{{Flow: "f", Opens: trace.OpensByTrigger}}, store.Settings{})
	if _, err := p.Store.Expect("f", root.TraceID(), root.ID()); err != nil {
		t.Fatal(err)
	}
	first := p.Arrive(s.Arrivals[0])[0]
	if e := first.OpenEdges(); len(e) != 1 || e[0].Kind != trace.WaitsForOrigin {
		t.Errorf("before the trigger ended: open edges %v", e)
	}
	f := p.Arrive(s.Arrivals[1])[0]
	if n, ok := f.Trigger(); !ok || f.Span(n) != root {
		t.Error("the trigger's span is not recognised")
	}
	if len(f.OpenEdges()) != 0 || len(f.Spans()) != 1 || f.Len() != 2 {
		t.Errorf("got %s", describe(f))
	}
	if _, err := p.Store.Expect("g", root.TraceID(), root.ID()); err == nil {
		t.Error("an undeclared flow is expected without an error")
	}
}

// What shares a value with a triggered flow belongs to it, also if it arrives before the
// trigger has ended.
func TestATriggeredFlowHasItsKeys(t *testing.T) {
	s := sketch.MustParse(`
followspan  POST /order  client  0..60ms
  shop  order  1..20ms  order.id=o-1
mail  send  30..40ms  order.id=o-1`)
	trigger := s.Arrivals[2].Span
	p := storetest.New([]trace.Membership{{Flow: "f", Opens: trace.OpensByTrigger, Keys: by("order.id")}}, store.Settings{})
	if _, err := p.Store.Expect("f", trigger.TraceID(), trigger.ID()); err != nil {
		t.Fatal(err)
	}
	for _, a := range s.Arrivals {
		p.Arrive(a)
	}
	if f := p.Close(trace.ByEndOfRun)[0]; f.Len() != 3 {
		t.Errorf("got %s", describe(f))
	}
}

// Eight exporters send one trace in random order while readers walk what is there.
func TestConcurrentExportersLoseNothing(t *testing.T) {
	const exporters, each = 8, 2500
	st := store.New([]trace.Membership{{Flow: "f", Origin: named("root")}}, store.Settings{})
	var wg sync.WaitGroup
	for e := range exporters {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(e)))
			var w trace.Builder
			w.SetResource(trace.ResourceData{Attrs: []trace.Attr{{Key: "service.name", Value: trace.StringValue(fmt.Sprint("svc", e))}}})
			for sent := 0; sent < each; {
				for range min(1+r.IntN(50), each-sent) {
					i := e*each + sent
					d := trace.SpanData{TraceID: trace.TraceID{1}, ID: numbered(i + 1), Name: "child", Kind: trace.Internal, Start: 1, End: 2}
					if i == 0 {
						d.Name = "root"
					} else {
						d.Parent = numbered(1 + r.IntN(i))
					}
					w.Add(&d)
					sent++
				}
				if err := st.Consume(context.Background(), trace.Batch{Spans: w.Commit(), Received: 3}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() {
		wg.Wait()
		st.Close(trace.ByEndOfRun)
		close(done)
	}()
	most := 0
	for {
		f, err := st.Next(t.Context())
		if err != nil {
			break
		}
		most = max(most, walk(f))
	}
	<-done
	if most != exporters*each {
		t.Errorf("the flow has %d spans, want %d", most, exporters*each)
	}
}

func walk(f trace.Flow) int {
	for i := range f.Len() {
		n := f.Member(i)
		if p, ok := f.Parent(n); ok {
			_ = f.Span(p).Name()
		}
		for c := range f.Children(n) {
			_ = f.Span(c).Service()
		}
	}
	return f.Len()
}

func numbered(n int) (id trace.SpanID) {
	for i := range 8 {
		id[7-i] = byte(n >> (8 * i))
	}
	return id
}
