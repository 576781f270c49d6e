// Package storetest plays sketches into a store, at the times that they say, so
// that the tests of other packages see the flows that a real run would see.
package storetest

import (
	"context"
	"time"

	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

// Player feeds a store from a sketch. Its clock stands still between arrivals.
type Player struct {
	Store *store.Store
	// From names the connection and the exporter of a batch by the service of its
	// first span. Nil: spans come over none.
	From func(service string) (sender, userAgent string)
	now  trace.Time
}

// New returns a player of an empty store. The clock stands at sketch.Base.
func New(flows []trace.Membership, s store.Settings) *Player {
	p := &Player{now: sketch.Base}
	s.Now = func() time.Time { return p.now.Std() }
	p.Store = store.New(flows, s)
	return p
}

// Arrive sets the clock to the last of the arrivals and consumes them as one batch.
func (p *Player) Arrive(batch ...sketch.Arrival) []trace.Flow {
	b := trace.Batch{Sender: "sketch"}
	for _, a := range batch {
		p.now = max(p.now, a.At)
		b.Spans = append(b.Spans, a.Span)
	}
	b.Received = p.now
	if p.From != nil && len(batch) > 0 {
		b.Sender, b.UserAgent = p.From(batch[0].Span.Service())
	}
	if err := p.Store.Consume(context.Background(), b); err != nil {
		panic(err)
	}
	return p.Changed()
}

// Wait lets time pass.
func (p *Player) Wait(d time.Duration) []trace.Flow {
	p.now = p.now.Add(d)
	return p.Changed()
}

// Close closes all flows and returns those that closing changed.
func (p *Player) Close(why trace.Reason) []trace.Flow {
	p.Store.Close(why)
	return p.Changed()
}

// Changed returns the flows that changed since they were returned last.
func (p *Player) Changed() (out []trace.Flow) {
	none, cancel := context.WithCancel(context.Background())
	cancel()
	for {
		f, err := p.Store.Next(none)
		if err != nil {
			return out
		}
		out = append(out, f)
	}
}

// Flows plays the whole sketch span by span, closes as at the end of a recording,
// and returns the flows as they closed.
func Flows(flows []trace.Membership, s *sketch.Sketch) []trace.Flow {
	p := New(flows, store.Settings{})
	for _, a := range s.Arrivals {
		p.Arrive(a)
	}
	return p.Close(trace.ByEndOfRecording)
}
