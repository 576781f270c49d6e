package store_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
)

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
