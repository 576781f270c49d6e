package store_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/store/storetest"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

// A task that is tried again may be sent by who runs it, with the id that it has.
func TestATaskThatIsSentAgainIsNotItsOwnCause(t *testing.T) {
	all := sketch.MustParse(`
shop  order  0..50ms
  shop  send  producer  10..20ms  messaging.destination.name=tasks messaging.message.id=t1
worker  run  consumer  30..60ms  messaging.destination.name=tasks messaging.message.id=t1
  worker  send again  producer  50..55ms  messaging.destination.name=tasks messaging.message.id=t1
worker  run again  consumer  70..90ms  messaging.destination.name=tasks messaging.message.id=t1`).Arrivals
	for order := range permutations(len(all)) {
		p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{})
		for _, i := range order {
			p.Arrive(all[i])
		}
		f, causes := p.Close(trace.ByEndOfRecording)[0], map[string][]string{}
		for i := range f.Len() {
			n := f.Member(i)
			for cause := range f.Causes(n) {
				causes[f.Span(n).Name()] = append(causes[f.Span(n).Name()], f.Span(cause).Name())
			}
			slices.Sort(causes[f.Span(n).Name()])
		}
		if diff := cmp.Diff(map[string][]string{"run": {"send"}, "run again": {"send", "send again"}}, causes); diff != "" {
			t.Fatalf("in the order %v: causes (-want +got)\n%s", order, diff)
		}
	}
}

// Who began to consume before a message was sent had another one; that takes one clock.
func TestAMessageIsNotReadBeforeItIsSent(t *testing.T) {
	const message = "messaging.destination.name=tasks messaging.message.id=t1"
	for name, tt := range map[string]struct {
		resources string
		want      int
	}{
		"one host":                  {"", 2},
		"two hosts":                 {"resource worker host.id=h2", 3},
		"hosts that nobody knows":   {"resource worker host.id=\"\"\nresource shop host.id=\"\"", 3},
		"one process, host unknown": {"resource worker host.id=\"\" service.name=w service.instance.id=1\nresource shop host.id=\"\" service.name=w service.instance.id=1", 2},
	} {
		all := sketch.MustParse(tt.resources + `
worker  run  consumer  30..60ms  ` + message + `
shop  order  0..90ms
  shop  send  producer  80..85ms  ` + message).Arrivals
		for order := range permutations(len(all)) {
			p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{})
			for _, i := range order {
				p.Arrive(all[i])
			}
			if f := p.Close(trace.ByEndOfRecording)[0]; f.Len() != tt.want {
				t.Fatalf("%s, in the order %v: %s, want %d spans", name, order, describe(f), tt.want)
			}
		}
	}
}

// Where several traces gave a message the same id, a consumer's context tells whose it
// has, whatever arrives first. One without a context may have any of them.
func TestAContextTellsMessagesApart(t *testing.T) {
	all := sketch.MustParse(`
shop  order  0..50ms  n=1
  shop  send  producer  1..2ms  #one messaging.destination.name=orders messaging.message.id=7
shop  order  0..50ms  n=2
  shop  send  producer  3..4ms  #two messaging.destination.name=orders messaging.message.id=7
mail  first   10..20ms  consumer  link=#one messaging.destination.name=orders messaging.message.id=7
mail  second  10..20ms  consumer  parent=#two messaging.destination.name=orders messaging.message.id=7
log   write   10..20ms  consumer  messaging.destination.name=orders messaging.message.id=7`).Arrivals
	for order := range permutations(len(all)) {
		p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{})
		for _, i := range order {
			p.Arrive(all[i])
		}
		var got []string
		for _, f := range p.Close(trace.ByEndOfRecording) {
			got = append(got, sortedLines(describe(f)))
		}
		slices.Sort(got)
		want := []string{
			"f closed end of the recording\n  log write (message)\n  mail first (link)\n  shop order (origin)\n  shop send (trace)",
			"f closed end of the recording\n  log write (message)\n  mail second (trace)\n  shop order (origin)\n  shop send (trace)",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("in the order %v (-want +got)\n%s", order, diff)
		}
	}
}

// A message that is sent again in its own trace is tried once more; one of another trace
// has the id of somebody else's.
func TestMessagesThatShareAnID(t *testing.T) {
	for name, tt := range map[string]struct {
		sketch string
		want   []string
	}{
		"tried again": {`
shop  order  0..50ms
  shop  send  producer  1..2ms  messaging.destination.name=orders messaging.message.id=1
  shop  send  producer  3..4ms  messaging.destination.name=orders messaging.message.id=1`, nil},
		"another destination": {`
shop  order  0..50ms
  shop  send  producer  1..2ms  messaging.destination.name=orders messaging.message.id=1
shop  order  60..90ms
  shop  send  producer  61..62ms  messaging.destination.name=mails messaging.message.id=1`, nil},
		"another trace": {`
shop  order  0..50ms
  shop  send  producer  1..2ms  messaging.destination.name=orders messaging.message.id=1
shop  order  60..90ms
  shop  send  producer  61..62ms  messaging.destination.name=orders messaging.message.id=1
mail  take  70..80ms  consumer  messaging.destination.name=orders messaging.message.id=1`, []string{"1 of orders"}},
		"a link tells": {`
shop  order  0..50ms
  shop  send  producer  1..2ms  messaging.destination.name=orders messaging.message.id=1
shop  order  60..90ms
  shop  send  producer  61..62ms  #sent messaging.destination.name=orders messaging.message.id=1
mail  take  70..80ms  consumer  link=#sent messaging.destination.name=orders messaging.message.id=1`, nil},
	} {
		p := storetest.New(nil, store.Settings{Recorded: true})
		p.Arrive(sketch.MustParse(tt.sketch).Arrivals...)
		p.Close(trace.ByEndOfRecording)
		if got := p.Store.Stats().SharedMessages; !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
