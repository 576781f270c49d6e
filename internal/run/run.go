// Package run makes one test run: it starts what the flow files ask for, makes
// their flows happen, judges them as spans arrive and says when nothing is left
// to wait for.
//
// Most callers need only [Run] and [Result]. The package neither receives spans
// nor prints: the caller feeds the store, and gets events and a result.
package run

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
)

// Input is one flow file, loaded.
type Input struct {
	Suite *assertions.Suite
	// Only names the flows to run; empty is all of them.
	Only []string
}

// Settings of a run.
type Settings struct {
	Inputs []Input
	// Store holds what arrives. It was made with Memberships(Inputs); the caller
	// feeds it for as long as the run lasts.
	Store *store.Store
	// Command is the command under test, such as a test suite; nil if there is none.
	Command *Command
	// Telemetry is what children must know to send their spans here.
	Telemetry Telemetry
	// Inherited is the environment of children, as os.Environ gives it.
	Inherited []string
	// Context is the trace that the command under test is started in; the store was
	// told of it.
	Context TraceContext
	// Own is the resource of followspan's own spans.
	Own    trace.ResourceData
	Random io.Reader
	Clock  Clock
	// GRPC makes the action of a trigger that is a gRPC call. It is required if a flow
	// of the inputs has such a trigger.
	GRPC func(GRPCCall) Action
	// Require is how well an absence must be known for a verdict that rests on it to
	// pass. With Proved a flow with such a verdict closes once the system has ended
	// in good order, since silence proves nothing. The zero value is Quiet.
	Require assertions.Grade
	// Journal writes down what happens; the store has it too. Nil: nobody does. The
	// caller adds its end.
	Journal *Journal
	// Drain ends the reception of spans and returns when the last that was accepted
	// is in the store.
	Drain func(context.Context) error
	// Events hears what happens, from one goroutine. Nil: nobody does.
	Events func(Event)
}

// Event is something that a person who waits may want to know. One of its fields
// is set.
type Event struct {
	Started string // a step that begins, in words
	Line    string // what a child printed
	Hint    string // a sentence about the set-up
	Waiting *Waiting
}

// Waiting says what the run waits for.
type Waiting struct {
	Elapsed  time.Duration // since the run began
	Spans    int
	Awaiting []string
}

// Memberships collects what the store must assemble for the inputs. The store
// knows each flow by its own name, or, since two files may declare the same one,
// by its name and the file's number.
func Memberships(inputs []Input) []trace.Membership {
	var all []trace.Membership
	for i, in := range inputs {
		for _, m := range in.Suite.Memberships() {
			if in.selects(m.Flow) {
				m.Flow = key(inputs, i, m.Flow)
				all = append(all, m)
			}
		}
	}
	return all
}

// key is the name by which the store knows a flow of the i-th input.
func key(inputs []Input, i int, flow string) string {
	for _, earlier := range inputs[:i] {
		if earlier.selects(flow) && earlier.Suite.Flow(flow) != nil {
			return fmt.Sprintf("%s (file %d)", flow, i+1)
		}
	}
	return flow
}

func (in Input) selects(flow string) bool {
	if f := in.Suite.Flow(flow); len(in.Only) == 0 || f != nil && f.IsInvariant() {
		return true
	}
	for _, name := range in.Only {
		if name == flow {
			return true
		}
	}
	return false
}

// Run makes one run and returns when all children have ended. It never fails: what
// could not be done is in the steps of the result. When ctx ends, it stops the
// children, judges what there is and says so.
func Run(ctx context.Context, s Settings) *Result {
	r := newRunner(s)
	scriptCtx, stop := context.WithCancel(ctx)
	defer stop()
	go r.script(scriptCtx)
	received, cancel := context.WithCancel(context.Background())
	defer cancel()
	flows := r.receive(received)

	r.wait(ctx, flows)
	stop()
	r.wind(flows)
	return r.result()
}

// receive hands on the flows that change until the store is closed.
func (r *runner) receive(ctx context.Context) <-chan trace.Flow {
	flows := make(chan trace.Flow)
	go func() {
		defer close(flows)
		for {
			f, err := r.Store.Next(ctx)
			if err != nil {
				return
			}
			select {
			case flows <- f:
			case <-ctx.Done():
				return
			}
		}
	}()
	return flows
}

// wait judges flows until nothing is left to wait for.
func (r *runner) wait(ctx context.Context, flows <-chan trace.Flow) {
	interrupted := ctx.Done()
	for {
		over, again := r.over()
		if over {
			return
		}
		timer := r.after(again)
		select {
		case f := <-flows:
			r.judge(f)
		case do := <-r.do:
			do()
		case <-timer.C:
			r.tellWaiting()
		case <-interrupted:
			timer.stop()
			r.interrupted = true
			return
		}
		timer.stop()
	}
}

// wind stops the children, takes in what they still send and closes all flows.
func (r *runner) wind(flows <-chan trace.Flow) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		<-r.scriptDone
		orderly := r.endOrderly()
		if r.Drain != nil {
			// An error means that a sender was cut off; what it sent is not lost, it
			// was never accepted.
			orderly = r.Drain(context.Background()) == nil && orderly
		}
		if orderly {
			r.Store.Flushed()
		}
		r.Store.Close(trace.ByEndOfRun)
	}()
	for {
		select {
		case f, ok := <-flows:
			if !ok {
				<-done
				return
			}
			r.judge(f)
		case do := <-r.do:
			do()
		}
	}
}

// endOrderly stops the system and reports whether all that was started has sent
// its last spans: nothing was killed, and SDKs kept nothing back. A span that is
// sent as soon as it ended is on its way also if the program knows no shutdown.
func (r *runner) endOrderly() bool {
	orderly := !r.disorder && r.Telemetry.ExportBatch <= 1
	if r.system != nil {
		orderly = r.system.Stop().Orderly && orderly
	}
	return orderly
}

// timer is a channel that gets a value once.
type timer struct {
	C    chan struct{}
	stop func()
}

func (r *runner) after(d time.Duration) timer {
	c := make(chan struct{}, 1)
	return timer{c, r.Clock.AfterFunc(d, func() { c <- struct{}{} })}
}
