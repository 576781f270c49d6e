package store_test

import (
	"testing"
	"time"

	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/store/storetest"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

// Who lost a context is told by what else both sides did, separately for calls and for
// messages, whatever arrives first.
func TestWhoLostTheContext(t *testing.T) {
	const (
		call = `
shop  order  0..50ms
  shop  call  client  10..20ms  server.address=10.0.0.7
`
		answer = "stock  reserve  server  12..19ms\n"
		send   = `
shop  order  0..50ms
  shop  send  producer  10..11ms  messaging.destination.name=orders
`
		delivery = "stock  reserve  consumer  12..19ms  messaging.destination.name=orders\n"
	)
	tests := []struct {
		name, sketch string
		want         trace.Side
	}{
		{"nothing else", call + answer, trace.EitherSide},
		{"somebody goes on with the sender's", call + "  shop  pay  client  21..30ms\n    bank  charge  22..29ms\n" + answer, trace.ByReceiver},
		{"somebody goes on with the sender's, by a link", call + "  shop  pay  client  21..30ms  #pay\nbank  charge  server  22..29ms  link=#pay\n" + answer, trace.ByReceiver},
		{"the receiver goes on with somebody's", call + "bank  ask  client  1..9ms\n  stock  quote  2..8ms\n" + answer, trace.BySender},
		{"the receiver goes on with somebody's, by a link", call + "bank  ask  client  1..9ms  #ask\nstock  quote  server  2..8ms  link=#ask\n" + answer, trace.BySender},
		{"both do", call + "  shop  pay  client  21..30ms\n    stock  charge  22..29ms\n" + answer, trace.EitherSide},
		{"the sender goes on with its own", call + "  shop  pay  client  21..30ms\n    shop  charge  server  22..29ms\n" + answer, trace.EitherSide},
		{"somebody hangs below the sender's call, who serves nobody", call + "  shop  pay  client  21..30ms\n    bank  charge  internal  22..29ms\n" + answer, trace.EitherSide},
		{"messages of the sender are read", call + "  shop  tell  producer  21..22ms\n    bank  hear  consumer  22..29ms\n" + answer, trace.EitherSide},
		{"a message, and others of the sender are read", send + "  shop  tell  producer  21..22ms\n    bank  hear  consumer  22..29ms\n" + delivery, trace.ByReceiver},
		{"a message, and calls of the sender are answered", send + "  shop  pay  client  21..30ms\n    bank  charge  22..29ms\n" + delivery, trace.EitherSide},
		{"a message, and the receiver reads others", send + "bank  tell  producer  1..2ms\n  stock  hear  consumer  2..8ms\n" + delivery, trace.BySender},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			all := sketch.MustParse(tt.sketch).Arrivals
			for order := range permutations(len(all)) {
				p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{})
				for _, i := range order {
					p.Arrive(all[i])
				}
				p.Wait(10 * time.Second)
				f := p.Close(trace.ByEndOfRun)[0]
				if e := f.OpenEdges(); len(e) != 1 || len(e[0].Strays) != 1 || e[0].Lost != tt.want {
					t.Fatalf("in the order %v: open edges %v, want one that was lost by %v", order, e, tt.want)
				}
			}
		})
	}
}
