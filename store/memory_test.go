package store_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
)

// budget is little memory, to be filled quickly.
const budget = 32 << 20

// traffic is a store with a clock that a test moves, and what sends to it: traces
// whose spans say a lot.
type traffic struct {
	t       *testing.T
	store   *store.Store
	now     time.Time
	builder trace.Builder
	done    context.Context
	flows   map[string]trace.Flow // as handed out last, by the trace's number
}

func newTraffic(t *testing.T, s store.Settings, flows ...trace.Membership) *traffic {
	x := &traffic{t: t, now: time.Unix(1_700_000_000, 0), flows: map[string]trace.Flow{}}
	s.Now = func() time.Time { return x.now }
	if s.Bytes == 0 {
		s.Bytes = budget
	}
	x.store = store.New(flows, s)
	done, cancel := context.WithCancel(t.Context())
	cancel()
	x.done = done
	return x
}

// send sends spans of a trace, numbered from one upwards. The first of a trace is
// its origin.
func (x *traffic) send(number, from, upto int) error {
	for i := from; i <= upto; i++ {
		x.builder.Add(x.span(number, i))
	}
	err := x.store.Consume(x.done, trace.Batch{Spans: x.builder.Commit()})
	if held := x.store.Stats().Bytes; held > budget {
		x.t.Fatalf("the store takes %d bytes, %d are allowed", held, int64(budget))
	}
	return err
}

func (x *traffic) span(number, i int) *trace.SpanData {
	d := trace.SpanData{Name: "work", Kind: trace.Internal, Start: trace.Time(1e18 + i), End: trace.Time(1e18 + 1000 - i), TraceID: traceID(number)}
	d.Attrs = []trace.Attr{{Key: "text", Value: trace.StringValue(strings.Repeat(fmt.Sprintf("%d/%d ", number, i), 400))}}
	binary.BigEndian.PutUint32(d.ID[:], uint32(number))
	binary.BigEndian.PutUint32(d.ID[4:], uint32(i))
	if i > 1 {
		binary.BigEndian.PutUint32(d.Parent[:], uint32(number))
		binary.BigEndian.PutUint32(d.Parent[4:], 1)
	} else {
		d.Name = "origin"
	}
	return &d
}

func traceID(number int) (id trace.TraceID) {
	binary.BigEndian.PutUint32(id[:], uint32(number))
	return id
}

// look takes in what Next hands out.
func (x *traffic) look() (changed []trace.Flow) {
	for {
		f, err := x.store.Next(x.done)
		if err != nil {
			return changed
		}
		x.flows[f.ID] = f
		changed = append(changed, f)
	}
}

func (x *traffic) flow(number int) trace.Flow {
	x.look()
	f, ok := x.flows[traceID(number).Short()]
	if !ok {
		x.t.Fatalf("there is no flow of trace %d", number)
	}
	return f
}

// finish closes a flow, as when it was judged, and lets it go.
func (x *traffic) finish(number int) {
	f := x.flow(number)
	x.store.CloseFlow(f, trace.ByVerdicts)
	x.store.Release(f)
}

// fill sends open flows of 20 spans until the store is full, and returns how many.
func (x *traffic) fill() int {
	for n := 1; ; n++ {
		switch err := x.send(n, 1, 20); {
		case errors.Is(err, store.ErrFull):
			return n - 1
		case err != nil:
			x.t.Fatal(err)
		}
	}
}

// intact fails unless the flow has so many spans and all of them say something.
func (x *traffic) intact(number, spans int) {
	x.t.Helper()
	f := x.flow(number)
	if f.Evicted() || f.Len() != spans {
		x.t.Fatalf("flow %d has %d spans, evicted: %v; want all %d", number, f.Len(), f.Evicted(), spans)
	}
	for i := range f.Len() {
		if s := f.Span(f.Member(i)); s.Evicted() || s.TraceID() != traceID(number) {
			x.t.Fatalf("span %d of flow %d was evicted", i, number)
		}
	}
}

var ordinary = trace.Membership{Flow: "f", Origin: named("origin")}

func TestEvictionTakesWhatClosedFirst(t *testing.T) {
	x := newTraffic(t, store.Settings{}, ordinary)
	const flows = 1500
	var closed []int
	for n := 1; n <= flows; n++ {
		if err := x.send(n, 1, 20); err != nil {
			t.Fatal(err)
		}
		if n%10 == 0 { // ten close in another order than they began in
			for i := range 10 {
				x.now = x.now.Add(time.Millisecond)
				closed = append(closed, n-i)
				x.finish(n - i)
			}
		}
		if s := x.store.Stats(); s.Bytes < budget*3/4 && s.Evicted > 0 && n < 100 {
			t.Fatalf("%d flows were evicted while %d bytes were taken", s.Evicted, s.Bytes)
		}
	}
	x.look()
	var got []int
	for _, n := range closed {
		if x.flow(n).Evicted() {
			got = append(got, n)
		}
	}
	if len(got) < flows/2 || !slices.Equal(got, closed[:len(got)]) {
		t.Errorf("%d flows were evicted, and not those that closed first: %v", len(got), got)
	}
	x.intact(closed[len(got)], 20)
	if s := x.store.Stats(); s.Evicted != len(got) || s.Bytes < budget/2 {
		t.Errorf("%d of %d flows are counted as evicted, %d bytes are held", s.Evicted, len(got), s.Bytes)
	}
	if r := x.flow(closed[0]).Remains(); r != (trace.Remains{Spans: 20, Services: 1}) {
		t.Errorf("of an evicted flow remains %+v", r)
	}
	if l := x.flow(closed[0]).Losses(); len(l) > 0 {
		t.Errorf("an evicted flow, which was judged whole, lost %v", l)
	}
}

// A flow that was judged and has news since is kept until it was judged again, be it
// handed out meanwhile or not.
func TestNewsOfAReleasedFlowKeepIt(t *testing.T) {
	more := func(x *traffic) { _ = x.send(1, 21, 21) }
	differing := func(x *traffic) {
		d := x.span(1, 20)
		d.Status = trace.Error
		x.builder.Add(d)
		_ = x.store.Consume(x.done, trace.Batch{Spans: x.builder.Commit()})
	}
	for name, tt := range map[string]struct {
		news  func(x *traffic)
		seen  bool
		spans int
	}{
		"one more span, seen":              {more, true, 21},
		"one more span, not seen":          {more, false, 21},
		"another version of one, not seen": {differing, false, 20},
	} {
		x := newTraffic(t, store.Settings{}, ordinary)
		if err := x.send(1, 1, 20); err != nil {
			t.Fatal(err)
		}
		x.finish(1)
		tt.news(x)
		if tt.seen {
			x.look()
		}
		for n := 2; x.send(n, 1, 20) == nil; n++ {
		}
		f := x.flow(1)
		if f.Evicted() || f.Len() != tt.spans {
			t.Errorf("%s: the flow has %d spans, evicted: %v; want %d", name, f.Len(), f.Evicted(), tt.spans)
		}
	}
}

// To let go of what a flow was says nothing of what it is.
func TestReleasingWhatAFlowWasKeepsIt(t *testing.T) {
	x := newTraffic(t, store.Settings{}, ordinary)
	if err := x.send(1, 1, 20); err != nil {
		t.Fatal(err)
	}
	before := x.flow(1)
	x.store.CloseFlow(before, trace.ByVerdicts)
	if err := x.send(1, 21, 21); err != nil {
		t.Fatal(err)
	}
	x.look()
	x.store.Release(before)
	for n := 2; x.send(n, 1, 20) == nil; n++ {
	}
	x.intact(1, 21)
}

// None of several flows that share the memory is cut: waiting makes room.
func TestOfSeveralFlowsNoneIsCut(t *testing.T) {
	x := newTraffic(t, store.Settings{}, ordinary)
	sent := map[int]int{}
	for i := 0; ; i++ {
		n := i%3 + 1
		if err := x.send(n, sent[n]+1, sent[n]+20); errors.Is(err, store.ErrFull) {
			break
		}
		if sent[n] += 20; i > 10_000 {
			t.Fatal("the store is never full")
		}
	}
	for n, spans := range sent {
		x.intact(n, spans)
	}
}

func TestWithoutNeedNothingIsEvicted(t *testing.T) {
	x := newTraffic(t, store.Settings{Linger: time.Nanosecond}, ordinary)
	for n := 1; n <= 50; n++ {
		if err := x.send(n, 1, 20); err != nil {
			t.Fatal(err)
		}
		x.finish(n)
		x.now = x.now.Add(time.Hour)
	}
	for n := 1; n <= 50; n++ {
		x.intact(n, 20)
	}
}

// What is open stays; who sends more is told to come again, and is let in when the
// oldest flow has reached its deadline and was judged.
func TestAFullStoreWaitsForTheOldestFlow(t *testing.T) {
	m := ordinary
	m.Timing.Deadline = 10 * time.Second
	x := newTraffic(t, store.Settings{}, m)
	open := x.fill()
	for n := 1; n <= open; n++ {
		x.intact(n, 20)
	}
	if got := x.store.Stats().Refused; got != 20 {
		t.Errorf("%d spans count as refused, want 20", got)
	}
	x.now = x.now.Add(11 * time.Second)
	for _, f := range x.look() {
		if f.State() == trace.Closed && f.Reason() == trace.ByDeadline {
			if err := x.send(open+1, 1, 20); !errors.Is(err, store.ErrFull) {
				t.Fatalf("before a flow that closed was judged: error %v", err)
			}
			x.store.Release(f)
			break
		}
	}
	// One flow makes less room than the block takes that the request begins.
	for _, f := range x.look() {
		x.store.Release(f)
	}
	for _, f := range x.flows {
		x.store.Release(f)
	}
	if err := x.send(open+1, 1, 20); err != nil {
		t.Fatalf("after the flows were judged: %v", err)
	}
	f := x.flow(open + 1)
	if l := f.Losses(); len(l) > 0 || x.store.Stats().Refused > 0 {
		t.Errorf("losses %v, %d refused: the spans came after all", l, x.store.Stats().Refused)
	}
	x.intact(open+1, 20)
}

func TestARefusalIsALossToItsFlow(t *testing.T) {
	x := newTraffic(t, store.Settings{}, ordinary)
	open := x.fill()
	var err error
	for range 100 {
		if err = x.send(1, 21, 40); err != nil {
			break
		}
	}
	if !errors.Is(err, store.ErrFull) {
		t.Fatalf("error %v, want ErrFull", err)
	}
	x.store.Close(trace.ByEndOfRun)
	x.look()
	if l := x.flow(1).Losses(); len(l) != 1 || l[0].Count != 20 || !strings.Contains(l[0].What, "--memory") {
		t.Errorf("losses %v, want 20 refused spans", l)
	}
	if l := x.flow(open).Losses(); len(l) > 0 {
		t.Errorf("losses %v to a flow that lacks nothing", l)
	}
}

func TestARequestThatNeverFits(t *testing.T) {
	x := newTraffic(t, store.Settings{}, ordinary)
	if err := x.send(1, 1, 20_000); !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("error %v, want ErrTooLarge", err)
	}
}

// Spans that no flow wants stay for as long as an origin may come.
func TestSpansInNoFlowLinger(t *testing.T) {
	x := newTraffic(t, store.Settings{Linger: time.Minute}, ordinary)
	sent := 0
	for n := 1; ; n++ {
		if err := x.send(n, 2, 20); err != nil {
			break
		}
		sent = n
		x.now = x.now.Add(time.Millisecond)
		if n == 100 {
			if err := x.send(50, 1, 1); err != nil {
				t.Fatal(err)
			}
		}
	}
	x.now = x.now.Add(50 * time.Second)
	if err := x.send(sent+1, 2, 20); !errors.Is(err, store.ErrFull) {
		t.Fatalf("before they lingered long enough: error %v", err)
	}
	x.now = x.now.Add(11 * time.Second)
	for n := sent + 1; n < sent+20; n++ {
		if err := x.send(n, 2, 20); err != nil {
			t.Fatal(err)
		}
	}
	// The flow of the first trace begins too late: it says that it misses spans.
	if err := x.send(1, 1, 1); err != nil {
		t.Fatal(err)
	}
	if l := x.flow(1).Losses(); len(l) != 1 || l[0].Count != 19 {
		t.Errorf("losses %v, want the 19 spans that made room", l)
	}
	x.intact(50, 20) // A flow took it before.
	if got := x.store.Stats().Unjoined[""]; got < 19*sent/2 {
		t.Errorf("%d spans belong to no flow, want those that made room among them", got)
	}
}

// What a flow had, until a second origin showed that it is not of it, lingers like what
// no flow ever had.
func TestSpansThatLeftAFlowMakeRoom(t *testing.T) {
	x := newTraffic(t, store.Settings{Linger: time.Second}, ordinary)
	add := func(i int, name string) {
		d := x.span(1, i)
		d.Name, d.Parent = name, x.span(1, 99).ID
		x.builder.Add(d)
		for x.store.Consume(x.done, trace.Batch{Spans: x.builder.Commit()}) != nil {
			x.now = x.now.Add(time.Second)
			x.builder.Add(d)
		}
	}
	n := 2
	until := func(gone trace.Node) bool {
		for end := n + 5000; n < end && !x.store.View().Evicted(gone); n++ {
			x.now = x.now.Add(5 * time.Millisecond)
			_ = x.send(n, 2, 20)
		}
		return x.store.View().Evicted(gone)
	}
	add(1, "origin")
	add(2, "beside")
	const beside, stray = trace.Node(1), trace.Node(2)
	if !until(stray) || x.store.View().Evicted(beside) {
		t.Fatal("it is not what no flow has that makes room")
	}
	add(3, "origin")
	if !until(beside) {
		t.Error("what left the flow does not make room")
	}
	if x.store.View().Evicted(0) {
		t.Error("the origin made room")
	}
}

// What is older goes first, whether a flow had it or none.
func TestEvictionTakesWhatIsOldest(t *testing.T) {
	x := newTraffic(t, store.Settings{Linger: time.Millisecond}, ordinary)
	stray := func(number int) bool { return number%2 == 0 }
	gone := func(number int) bool {
		if stray(number) {
			return len(x.store.Trace(traceID(number))) == 0
		}
		return x.flow(number).Evicted()
	}
	for n := 1; n <= 40 || !gone(20); n++ {
		from := 1
		if stray(n) {
			from = 2 // without its origin
		}
		if err := x.send(n, from, 20); err != nil {
			t.Fatal(err)
		}
		if x.now = x.now.Add(time.Second); !stray(n) {
			x.finish(n)
		}
	}
	for n := 1; n <= 19; n++ {
		if !gone(n) {
			t.Errorf("trace %d is held, though trace 20 made room", n)
		}
	}
	for n := 81; n < len(x.flows); n++ {
		if gone(n) {
			t.Errorf("trace %d made room together with 20", n)
		}
	}
}

// A flow that alone takes everything goes on without its oldest spans. Who sends is
// not kept waiting, and other flows lose nothing.
func TestAFlowThatTakesAllIsCut(t *testing.T) {
	all := trace.Membership{Flow: "all", Opens: trace.OpensBySession}
	for name, flows := range map[string][]trace.Membership{
		"a session":     {all, ordinary},
		"a large trace": {ordinary},
	} {
		t.Run(name, func(t *testing.T) {
			x := newTraffic(t, store.Settings{}, flows...)
			total := 0
			for i := range 400 {
				n := i + 1
				if name == "a large trace" {
					n = 1
				}
				if err := x.send(n, total+1, total+50); err != nil {
					t.Fatalf("request %d: %v", i, err)
				}
				if total += 50; name == "a session" {
					total = 0
					x.finish(n)
				}
			}
			x.look()
			var cut trace.Flow
			for _, f := range x.flows {
				if f.Declaration == flows[0].Flow {
					cut = f
				}
			}
			if l := cut.Losses(); len(l) != 1 || l[0].Count < 5000 || !strings.Contains(l[0].What, "--memory") {
				t.Errorf("losses %v", l)
			}
			if cut.State() == trace.Closed || cut.Evicted() || cut.Len() != 20_000 {
				t.Errorf("it is %v with %d spans, evicted: %v", cut.State(), cut.Len(), cut.Evicted())
			}
			if n, ok := cut.Origin(); ok && cut.Span(n).Evicted() {
				t.Error("its origin was evicted")
			}
			if name == "a session" {
				for n := 390; n <= 400; n++ {
					x.intact(n, 50)
					if l := x.flow(n).Losses(); len(l) > 0 {
						t.Errorf("flow %d: losses %v", n, l)
					}
				}
			}
		})
	}
}

// Where a flow that was cut starts is kept: its origin, and what triggered it.
func TestACutFlowKeepsItsTrigger(t *testing.T) {
	x := newTraffic(t, store.Settings{}, trace.Membership{Flow: "f", Opens: trace.OpensByTrigger, Origin: named("origin")})
	trigger := x.span(1, 30_000)
	trigger.Name, trigger.Parent = "POST", trace.SpanID{}
	if _, err := x.store.Expect("f", trigger.TraceID, trigger.ID); err != nil {
		t.Fatal(err)
	}
	x.builder.Add(trigger)
	for i := range 400 {
		if err := x.send(1, 50*i+1, 50*i+50); err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
	}
	f := x.flow(1)
	origin, _ := f.Origin()
	own, ok := f.Trigger()
	if len(f.Losses()) != 1 || !ok || f.Span(own).Evicted() || f.Span(origin).Evicted() {
		t.Errorf("losses %v, trigger there: %v", f.Losses(), ok)
	}
}

// Spans that come when their flow is gone are told of; a copy of its origin does
// not begin it again.
func TestALateSpanOfAnEvictedFlow(t *testing.T) {
	perValue := trace.Membership{Flow: "f", Opens: trace.OpensByKey, Origin: func(trace.Span) bool { return true }, Scope: trace.ScopeValue,
		Per: func(s trace.Span) (string, bool) { return s.TraceID().String()[:8], true }}
	for name, m := range map[string]trace.Membership{
		"of a trace": ordinary, "of every trace": {Flow: "f", Opens: trace.OpensByTrace}, "of a value": perValue,
	} {
		t.Run(name, func(t *testing.T) {
			x := newTraffic(t, store.Settings{}, m)
			for n := 1; n == 1 || !x.flow(1).Evicted(); n++ {
				if err := x.send(n, 1, 20); err != nil {
					t.Fatal(err)
				}
				x.finish(n)
			}
			before := x.store.Stats()
			for _, i := range []int{1, 21} {
				if err := x.send(1, i, i); err != nil {
					t.Fatal(err)
				}
			}
			changed := x.look()
			if len(changed) != 1 || !changed[0].Evicted() || changed[0].Remains().Late != 2 {
				t.Errorf("handed out: %v, want the evicted flow with 2 late spans", changed)
			}
			if after := x.store.Stats(); after.Late != 2 || after.Instances != before.Instances {
				t.Errorf("%d late spans, %d new instances; want 2 and none", after.Late, after.Instances-before.Instances)
			}
		})
	}
}

// Spans of other traces that a flow would have had count as well: those that link to
// it, and those below a member of a trace that several flows share, once nobody can
// bring the member any more.
func TestWhatAnEvictedFlowMisses(t *testing.T) {
	tests := []struct {
		name string
		span func(x *traffic) *trace.SpanData
		late int // once the span came, and once the store was closed
		end  int
	}{
		{"a link to it", func(x *traffic) *trace.SpanData {
			d := x.span(100_000, 2)
			d.Parent = trace.SpanID{}
			d.Links = []trace.LinkData{{TraceID: traceID(1), SpanID: x.span(1, 5).ID}}
			return d
		}, 1, 1},
		{"a link to another", func(x *traffic) *trace.SpanData {
			d := x.span(100_000, 2)
			d.Parent = trace.SpanID{}
			d.Links = []trace.LinkData{{TraceID: traceID(99_999), SpanID: x.span(1, 5).ID}}
			return d
		}, 0, 0},
		{"a child in a trace that it shares", func(x *traffic) *trace.SpanData {
			d := x.span(1, 21)
			d.Parent = x.span(1, 5).ID
			d.Name = "late"
			return d
		}, 0, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := ordinary
			if tt.late != tt.end {
				m.Scope = trace.ScopeSubtree
			}
			x := newTraffic(t, store.Settings{}, m)
			for n := 1; n == 1 || !x.flow(1).Evicted(); n++ {
				if err := x.send(n, 1, 20); err != nil {
					t.Fatal(err)
				}
				x.finish(n)
			}
			x.builder.Add(tt.span(x))
			if err := x.store.Consume(x.done, trace.Batch{Spans: x.builder.Commit()}); err != nil {
				t.Fatal(err)
			}
			if got := x.flow(1).Remains().Late; got != tt.late {
				t.Errorf("%d spans came late, want %d", got, tt.late)
			}
			x.store.Close(trace.ByEndOfRun)
			if got := x.flow(1).Remains().Late; got != tt.end {
				t.Errorf("in the end %d spans came late, want %d", got, tt.end)
			}
		})
	}
}

// Flows that share a trace miss nothing because one of them made room, whose caller sends
// no spans: neither that one itself, nor another one that the run began, nor is what it
// had a stray of its process.
func TestAnEvictedFlowIsMissedByNobody(t *testing.T) {
	run, missing := trace.SpanID{7}, trace.SpanID{8}
	for name, caller := range map[string]trace.SpanID{"the run": run, "somebody": missing} {
		t.Run(name, func(t *testing.T) {
			m := ordinary
			m.Scope = trace.ScopeSubtree
			x := newTraffic(t, store.Settings{RunTrace: traceID(0), RunSpan: run}, m)
			send := func(n int) trace.Flow {
				for i := 1; i <= 20; i++ {
					d := x.span(n, i)
					if d.TraceID = traceID(0); i == 1 {
						d.Parent = caller
					}
					x.builder.Add(d)
				}
				if err := x.store.Consume(x.done, trace.Batch{Spans: x.builder.Commit()}); err != nil {
					t.Fatal(err)
				}
				changed := x.look()
				return changed[len(changed)-1]
			}
			first := send(1)
			x.store.CloseFlow(first, trace.ByVerdicts)
			x.store.Release(first)
			open, last := send(2), first
			for n := 3; !first.Evicted() || n < 1000; n++ {
				last = send(n)
				x.store.CloseFlow(last, trace.ByVerdicts)
				x.store.Release(last)
			}
			if l := last.Losses(); caller == run && len(l) != 0 {
				t.Errorf("the last flow has the losses %v", l)
			}
			x.store.Close(trace.ByEndOfRun)
			for _, f := range x.look() {
				if f.ID == first.ID {
					first = f
				}
				if f.ID == open.ID {
					open = f
				}
			}
			if late := first.Remains().Late; late != 0 {
				t.Errorf("%d spans came late for the first flow", late)
			}
			for _, mark := range open.Marks() {
				if mark.Stray != "" {
					t.Errorf("%s may be of the flow that was open", mark.Stray)
				}
			}
		})
	}
}

// A flow that turns out to have caused others misses what these had.
func TestAFlowAboveOneThatMadeRoom(t *testing.T) {
	m, suite := ordinary, trace.Membership{Flow: "suite", Origin: named("suite"), Scope: trace.ScopeSubtree}
	m.Scope = trace.ScopeSubtree
	x := newTraffic(t, store.Settings{}, m, suite)
	above := x.span(1, 30)
	above.Name, above.Parent = "suite", trace.SpanID{}
	for i := 1; i <= 20; i++ {
		d := x.span(1, i)
		if i == 1 {
			d.Parent = above.ID
		}
		x.builder.Add(d)
	}
	if err := x.store.Consume(x.done, trace.Batch{Spans: x.builder.Commit()}); err != nil {
		t.Fatal(err)
	}
	x.finish(1)
	for n := 2; !x.flow(1).Evicted(); n++ {
		if err := x.send(n, 1, 20); err != nil {
			t.Fatal(err)
		}
		x.finish(n)
	}
	x.builder.Add(above)
	if err := x.store.Consume(x.done, trace.Batch{Spans: x.builder.Commit()}); err != nil {
		t.Fatal(err)
	}
	for _, f := range x.look() {
		if l := f.Losses(); f.Declaration == "suite" && (len(l) != 1 || l[0].Count != 20) {
			t.Errorf("losses %v, want the 20 spans that made room", l)
		}
	}
}

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

// A trace of a recording that takes everything is not cut: the recording does not fit.
func TestARecordedTraceIsNotCut(t *testing.T) {
	x := newTraffic(t, store.Settings{Recorded: true}, ordinary)
	for from := 1; ; from += 50 {
		err := x.send(1, from, from+49)
		if err == nil {
			continue
		}
		if !errors.Is(err, store.ErrFull) || x.store.CloseOldest() {
			t.Errorf("%v, and something may make room", err)
		}
		break
	}
	if l := x.flow(1).Losses(); slices.ContainsFunc(l, func(l trace.Loss) bool { return strings.Contains(l.What, "given up") }) {
		t.Errorf("losses %v", l)
	}
}

// Flows that are compared with others go last.
func TestWhatIsReleasedLastGoesLast(t *testing.T) {
	x := newTraffic(t, store.Settings{}, ordinary)
	for n := 1; n <= 1000; n++ {
		if err := x.send(n, 1, 20); err != nil {
			t.Fatal(err)
		}
		f := x.flow(n)
		x.store.CloseFlow(f, trace.ByVerdicts)
		if n <= 10 {
			x.store.ReleaseLast(f)
		} else {
			x.store.Release(f)
		}
	}
	x.intact(10, 20)
	if !x.flow(11).Evicted() {
		t.Error("nothing else was evicted")
	}
}

// However many small flows there were, what is remembered of them is bounded.
func TestWhatIsRememberedOfEvictedFlowsIsBounded(t *testing.T) {
	x := newTraffic(t, store.Settings{}, ordinary)
	for n := 1; n <= 60_000; n++ {
		if err := x.send(n, 1, 1); err != nil {
			t.Fatalf("flow %d: %v", n, err)
		}
		x.finish(n)
		clear(x.flows)
	}
}

// Of several spans that wait for one parent some may make room before it comes.
func TestAParentIsFoundThoughOthersMadeRoom(t *testing.T) {
	m := ordinary
	m.Scope, m.Keys = trace.ScopeSubtree, by("kept")
	x := newTraffic(t, store.Settings{Linger: time.Second}, m)
	child := func(i int, kept string) {
		d := x.span(1, i)
		d.Parent = x.span(1, 9).ID
		d.Attrs = append(d.Attrs, trace.Attr{Key: "kept", Value: trace.StringValue(kept)})
		x.builder.Add(d)
	}
	for i := 21; i < 25; i++ {
		child(i, fmt.Sprint(i%2)) // every other one is in a flow
	}
	keep := x.span(2, 1)
	keep.Attrs = append(keep.Attrs, trace.Attr{Key: "kept", Value: trace.StringValue("1")})
	x.builder.Add(keep)
	if err := x.store.Consume(x.done, trace.Batch{Spans: x.builder.Commit()}); err != nil {
		t.Fatal(err)
	}
	for n := 3; !x.store.View().Evicted(1) || !x.store.View().Evicted(3); n++ {
		x.now = x.now.Add(5 * time.Millisecond)
		if _ = x.send(n, 2, 20); n > 5000 {
			t.Fatal("the others do not make room")
		}
	}
	above := x.span(1, 9)
	above.Parent = trace.SpanID{}
	x.builder.Add(above)
	for x.store.Consume(x.done, trace.Batch{Spans: x.builder.Commit()}) != nil {
		x.now = x.now.Add(time.Second)
		x.builder.Add(above)
	}
	v := x.store.View()
	for _, n := range []trace.Node{0, 2} {
		if p, ok := v.Parent(n); !ok || v.Span(p).ID() != above.ID {
			t.Errorf("span %d has not found its parent", n)
		}
	}
}
