package store_test

import (
	"testing"

	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
)

// Of a recording only what a later span can hardly belong to closes early.
func TestCloseOldest(t *testing.T) {
	keyed := ordinary
	keyed.Keys = by("order")
	for name, tt := range map[string]struct {
		flows []trace.Membership
		want  bool
	}{
		"flows":                       {[]trace.Membership{ordinary}, true},
		"spans in no flow":            {nil, true},
		"flows with correlation keys": {[]trace.Membership{keyed}, false},
		"a session, which has it all": {[]trace.Membership{ordinary, {Flow: "all", Opens: trace.OpensBySession}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			x := newTraffic(t, store.Settings{Recorded: true}, tt.flows...)
			n := x.fill()
			if got := x.store.CloseOldest(); got != tt.want {
				t.Fatalf("something may make room: %v, want %v", got, tt.want)
			}
			for _, f := range x.look() {
				x.store.Release(f)
			}
			if err := x.send(n+2, 1, 20); (err == nil) != tt.want {
				t.Errorf("the next request: %v", err)
			}
		})
	}
}

// Flows that wait for something close early only where nothing else can make room.
func TestCloseOldestSparesWhatWaits(t *testing.T) {
	for every, want := range map[int]bool{1: true, 2: false} {
		x := newTraffic(t, store.Settings{Recorded: true}, ordinary)
		for n := 1; ; n++ {
			if n%every == 0 {
				d := x.span(n, 21)
				d.Parent = x.span(n, 99).ID
				x.builder.Add(d)
			}
			if err := x.send(n, 1, 20); err != nil {
				break
			}
		}
		if !x.store.CloseOldest() {
			t.Fatal("nothing may make room")
		}
		closed, waiting := 0, 0
		for _, f := range x.look() {
			if f.State() != trace.Closed {
				continue
			}
			if closed++; len(f.OpenEdges()) > 0 {
				waiting++
			}
		}
		if closed == 0 || waiting > 0 != want {
			t.Errorf("where one in %d waits: %d closed, of which %d waited", every, closed, waiting)
		}
	}
}

// A flow that closed early did without the answer of somebody who seemed to send no
// spans. It is told when he does.
func TestWhoTurnsOutToSendSpans(t *testing.T) {
	addressed := func(d *trace.SpanData, kind trace.Kind, host string) *trace.SpanData {
		d.Kind = kind
		d.Attrs = append(d.Attrs, trace.Attr{Key: "server.address", Value: trace.StringValue(host)})
		return d
	}
	for host, want := range map[string]bool{"stock": true, "gateway": false} {
		t.Run(host, func(t *testing.T) {
			x := newTraffic(t, store.Settings{Recorded: true}, ordinary)
			x.builder.Add(addressed(x.span(1, 21), trace.Client, "stock"))
			for n := 1; x.send(n, 1, 20) == nil; n++ {
			}
			if !x.store.CloseOldest() {
				t.Fatal("nothing may make room")
			}
			for _, f := range x.look() {
				x.store.Release(f)
			}
			if f := x.flow(1); f.State() != trace.Closed || f.Reason() != trace.ByMemory || f.Remains().Unanswered {
				t.Fatalf("the flow is %v by %v, unanswered: %v", f.State(), f.Reason(), f.Remains().Unanswered)
			}
			x.builder.Add(addressed(x.span(100_000, 2), trace.Client, host))
			answer := addressed(x.span(100_000, 3), trace.Server, host)
			answer.Parent = x.span(100_000, 2).ID
			x.builder.Add(answer)
			if err := x.store.Consume(x.done, trace.Batch{Spans: x.builder.Commit()}); err != nil {
				t.Fatal(err)
			}
			if got := x.flow(1).Remains().Unanswered; got != want {
				t.Errorf("unanswered: %v, want %v", got, want)
			}
		})
	}
}
