package trace_test

import (
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/followspan/followspan/trace"
)

// described is a span with its resource and scope, as a test writes and reads it.
type described struct {
	Span     trace.SpanData
	Resource trace.ResourceData
	Scope    trace.ScopeData
}

func describe(s trace.Span) described {
	d := described{Span: trace.SpanData{
		TraceID: s.TraceID(), ID: s.ID(), Parent: s.ParentID(), Name: s.Name(), Kind: s.Kind(), Start: s.Start(), End: s.End(),
		Status: s.Status(), StatusMessage: s.StatusMessage(), TraceState: s.TraceState(), Flags: s.Flags(), Attrs: all(s.Attrs()),
	}}
	d.Span.DroppedAttrs, d.Span.DroppedEvents, d.Span.DroppedLinks = s.Dropped()
	for e := range s.Events() {
		d.Span.Events = append(d.Span.Events, trace.EventData{Name: e.Name(), Time: e.Time(), Attrs: all(e.Attrs()), Dropped: e.Dropped()})
	}
	for l := range s.Links() {
		d.Span.Links = append(d.Span.Links, trace.LinkData{
			TraceID: l.TraceID(), SpanID: l.SpanID(), TraceState: l.TraceState(), Flags: l.Flags(), Attrs: all(l.Attrs()), Dropped: l.Dropped(),
		})
	}
	r, c := s.Resource(), s.Scope()
	d.Resource = trace.ResourceData{Attrs: all(r.Attrs()), Dropped: r.Dropped(), SchemaURL: r.SchemaURL()}
	d.Scope = trace.ScopeData{Name: c.Name(), Version: c.Version(), Attrs: all(c.Attrs()), Dropped: c.Dropped(), SchemaURL: c.SchemaURL()}
	return d
}

func all(seq iter.Seq2[string, trace.Value]) (attrs []trace.Attr) {
	for k, v := range seq {
		attrs = append(attrs, trace.Attr{Key: strings.Clone(k), Value: v})
	}
	return attrs
}

var exactly = cmp.Comparer(func(a, b trace.Value) bool { return a == b })

// maker makes up spans with everything that a span can have.
type maker struct{ *rand.Rand }

func newMaker(seed uint64) maker { return maker{rand.New(rand.NewPCG(seed, 0))} }

func (m maker) text(of string) string {
	switch m.IntN(30) {
	case 0:
		return ""
	case 1:
		return strings.Repeat(of, m.IntN(200))
	}
	return fmt.Sprint(of, m.IntN(50))
}

func (m maker) value(depth int) trace.Value {
	switch n := m.IntN(9); {
	case n == 0:
		return trace.EmptyValue()
	case n == 1:
		return trace.BoolValue(m.IntN(2) == 0)
	case n == 2:
		return trace.IntValue(int64(m.Uint64()) >> m.IntN(64))
	case n == 3:
		return trace.DoubleValue(math.Float64frombits(m.Uint64()))
	case n == 4:
		return trace.BytesValue([]byte{0, byte(m.IntN(256))})
	case n == 5 && depth > 0:
		return trace.ListValue(m.value(depth-1), m.value(depth-1))
	case n == 6 && depth > 0:
		return trace.MapValue(m.attrs(depth - 1)...)
	}
	return trace.StringValue(m.text("value "))
}

func (m maker) attrs(depth int) (attrs []trace.Attr) {
	for range m.IntN(5) {
		attrs = append(attrs, trace.Attr{Key: m.text("key."), Value: m.value(depth)})
	}
	return attrs
}

func (m maker) span(id uint64) described {
	d := described{Span: trace.SpanData{
		TraceID: trace.TraceID{1, byte(m.IntN(9))}, ID: trace.SpanID{byte(id >> 16), byte(id >> 8), byte(id), 1}, Parent: trace.SpanID{byte(m.IntN(3))},
		Name: m.text("operation "), Kind: trace.Kind(m.IntN(7)), Start: trace.Time(m.Uint64()), End: trace.Time(m.Uint64()),
		Status: trace.Status(m.IntN(3)), Flags: m.Uint32(), Attrs: m.attrs(3),
	}}
	if m.IntN(2) == 0 {
		d.Span.StatusMessage, d.Span.TraceState = m.text("message "), m.text("state=")
		d.Span.DroppedAttrs, d.Span.DroppedEvents, d.Span.DroppedLinks = m.Uint32(), m.Uint32(), m.Uint32()
	}
	for range m.IntN(3) {
		d.Span.Events = append(d.Span.Events, trace.EventData{Name: m.text("event "), Time: trace.Time(m.Uint64()), Attrs: m.attrs(1), Dropped: m.Uint32()})
		d.Span.Links = append(d.Span.Links, trace.LinkData{
			TraceID: trace.TraceID{2}, SpanID: trace.SpanID{3}, TraceState: m.text("s="), Flags: m.Uint32(), Attrs: m.attrs(1), Dropped: m.Uint32(),
		})
	}
	d.Resource = trace.ResourceData{SchemaURL: m.text("schema "), Dropped: uint32(m.IntN(2))}
	d.Resource.Attrs = []trace.Attr{{Key: "service.name", Value: trace.StringValue(m.text("service "))}}
	d.Scope = trace.ScopeData{Name: m.text("scope "), Version: m.text("v"), Attrs: m.attrs(1), Dropped: uint32(m.IntN(2)), SchemaURL: m.text("schema ")}
	return d
}

func (m maker) spans(n int) (out []described) {
	for i := range n {
		out = append(out, m.span(uint64(i)))
	}
	return out
}

func add(b *trace.Builder, d described) {
	b.SetResource(d.Resource)
	b.SetScope(d.Scope)
	b.Add(&d.Span)
}

func wantDescribed(t *testing.T, got []trace.Span, want []described) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d spans, want %d", len(got), len(want))
	}
	for i := range want {
		// cmp takes a second for the largest span.
		if d := describe(got[i]); !reflect.DeepEqual(d, want[i]) {
			t.Fatalf("span %d (-want +got):\n%s", i, cmp.Diff(want[i], d, exactly))
		}
	}
}

// Enough spans for several blocks, in requests of all sizes, some rolled back.
func TestBuilderKeepsEverything(t *testing.T) {
	m := newMaker(1)
	var b trace.Builder
	var got []trace.Span
	var want []described
	for len(want) < 5000 {
		request := m.spans(m.IntN(300))
		for _, d := range request {
			add(&b, d)
		}
		if m.IntN(3) == 0 {
			b.Rollback()
			continue
		}
		got, want = append(got, b.Commit()...), append(want, request...)
	}
	wantDescribed(t, got, want)
}

func TestRollbackLeavesNothing(t *testing.T) {
	m := newMaker(2)
	var b, undisturbed trace.Builder
	good := m.spans(20)
	for _, d := range good {
		for _, bad := range m.spans(30) {
			add(&b, bad)
		}
		b.Rollback()
		if spans := b.Commit(); len(spans) != 0 {
			t.Fatalf("%d spans were committed after a Rollback", len(spans))
		}
		add(&b, d)
		add(&undisturbed, d)
	}
	wantDescribed(t, b.Commit(), good[len(good)-1:])
	wantDescribed(t, undisturbed.Commit(), good)
}

// A resource and a scope hold for all spans until the next is set, also in the
// blocks that are begun meanwhile; a new resource has no scope yet.
func TestResourceAndScopeHold(t *testing.T) {
	var b trace.Builder
	resource := trace.ResourceData{Attrs: []trace.Attr{{Key: "service.name", Value: trace.StringValue("checkout")}}, SchemaURL: "r"}
	scope := trace.ScopeData{Name: "otelgrpc", SchemaURL: "s"}
	b.SetResource(resource)
	b.SetScope(scope)
	resource.Attrs[0].Value = trace.StringValue("the caller's slice may be reused")
	for range 2000 {
		b.Add(&trace.SpanData{Name: "a"})
	}
	for i, s := range b.Commit() {
		if s.Service() != "checkout" || s.Scope().Name() != "otelgrpc" || s.Resource().SchemaURL() != "r" || s.Scope().SchemaURL() != "s" {
			t.Fatalf("span %d: service %q, scope %q", i, s.Service(), s.Scope().Name())
		}
	}
	b.SetResource(trace.ResourceData{})
	b.Add(&trace.SpanData{Name: "b"})
	if s := b.Commit()[0]; s.Service() != "" || s.Scope().Name() != "" {
		t.Errorf("a new resource has service %q and scope %q", s.Service(), s.Scope().Name())
	}
}

func TestWithoutAResource(t *testing.T) {
	var b trace.Builder
	b.Add(&trace.SpanData{Name: "a"})
	s := b.Commit()[0]
	if s.Service() != "" || s.Scope().Name() != "" || s.Resource().Process() != "" {
		t.Errorf("got %+v", describe(s))
	}
	if _, ok := s.Lookup("any"); ok {
		t.Error("found an attribute")
	}
}

func TestHugeSpans(t *testing.T) {
	var want []described
	huge := described{Span: trace.SpanData{Name: strings.Repeat("n", 1<<20)}}
	for i := range 20_000 {
		huge.Span.Attrs = append(huge.Span.Attrs, trace.Attr{Key: fmt.Sprint("key ", i), Value: trace.IntValue(int64(i))})
		huge.Span.Events = append(huge.Span.Events, trace.EventData{Name: "event", Time: trace.Time(i)})
		huge.Span.Links = append(huge.Span.Links, trace.LinkData{Flags: uint32(i)})
	}
	huge.Span.Attrs = append(huge.Span.Attrs, trace.Attr{Key: strings.Repeat("k", 1<<20), Value: trace.BytesValue(make([]byte, 3<<20))})
	small := described{Span: trace.SpanData{Name: "small"}}
	want = append(want, small, huge, small, huge, huge, small)
	var b trace.Builder
	for _, d := range want {
		add(&b, d)
	}
	wantDescribed(t, b.Commit(), want)
}

func TestEqual(t *testing.T) {
	m := newMaker(3)
	d := m.span(1)
	for len(d.Span.Events) == 0 || len(d.Span.Attrs) == 0 || len(d.Scope.Attrs) == 0 {
		d = m.span(1)
	}
	build := func(d described) trace.Span {
		var b trace.Builder
		add(&b, newMaker(4).span(9)) // so that numbers within the blocks differ
		add(&b, d)
		return b.Commit()[1]
	}
	base := build(d)
	if !base.Equal(base) || !base.Equal(build(d)) {
		t.Error("a span does not equal its copy in another block")
	}
	other := []trace.Attr{{Key: "other", Value: trace.IntValue(1)}}
	for what, change := range map[string]func(*described){
		"trace id":       func(d *described) { d.Span.TraceID[15]++ },
		"id":             func(d *described) { d.Span.ID[7]++ },
		"parent":         func(d *described) { d.Span.Parent[7]++ },
		"name":           func(d *described) { d.Span.Name += "x" },
		"kind":           func(d *described) { d.Span.Kind++ },
		"start":          func(d *described) { d.Span.Start++ },
		"end":            func(d *described) { d.Span.End++ },
		"status":         func(d *described) { d.Span.Status++ },
		"status message": func(d *described) { d.Span.StatusMessage += "x" },
		"trace state":    func(d *described) { d.Span.TraceState += "x" },
		"flags":          func(d *described) { d.Span.Flags++ },
		"attributes":     func(d *described) { d.Span.Attrs = other },
		"dropped attrs":  func(d *described) { d.Span.DroppedAttrs++ },
		"dropped events": func(d *described) { d.Span.DroppedEvents++ },
		"dropped links":  func(d *described) { d.Span.DroppedLinks++ },
		"events":         func(d *described) { d.Span.Events = d.Span.Events[1:] },
		"event name":     func(d *described) { d.Span.Events = []trace.EventData{{Name: "x"}} },
		"links":          func(d *described) { d.Span.Links = nil },
		"resource":       func(d *described) { d.Resource.Attrs = other },
		"resource drops": func(d *described) { d.Resource.Dropped++ },
		"schema":         func(d *described) { d.Resource.SchemaURL += "x" },
		"scope":          func(d *described) { d.Scope.Name += "x" },
		"scope version":  func(d *described) { d.Scope.Version += "x" },
		"scope attrs":    func(d *described) { d.Scope.Attrs = other },
		"scope schema":   func(d *described) { d.Scope.SchemaURL += "x" },
		"scope drops":    func(d *described) { d.Scope.Dropped++ },
	} {
		changed := d
		change(&changed)
		if base.Equal(build(changed)) {
			t.Errorf("a span equals one with another %s", what)
		}
	}
}

// Readers of committed spans and the builder that goes on share blocks; the race
// detector watches.
func TestReadersBesideTheBuilder(t *testing.T) {
	requests := make(chan []trace.Span, 100)
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			var first trace.Span
			for spans := range requests {
				for _, s := range spans {
					if first.IsZero() {
						first = s
					}
					if d := describe(s); d.Span.Name != s.Name() || d.Resource.Attrs[0].Value.Str() != s.Service() {
						t.Error("a committed span changed")
					}
					_ = s.Equal(first)
				}
			}
		})
	}
	m := newMaker(5)
	var b trace.Builder
	for range 100 {
		for _, d := range m.spans(30) {
			add(&b, d)
		}
		if m.IntN(4) == 0 {
			b.Rollback()
			continue
		}
		requests <- b.Commit()
	}
	close(requests)
	readers.Wait()
}

// The same strings, keys and resources are stored once: a block takes less than the
// spans would by themselves.
func TestInterning(t *testing.T) {
	var b trace.Builder
	b.SetResource(trace.ResourceData{Attrs: []trace.Attr{{Key: "service.name", Value: trace.StringValue(strings.Repeat("long ", 100))}}})
	attrs := []trace.Attr{{Key: strings.Repeat("key ", 100), Value: trace.StringValue(strings.Repeat("value ", 100))}}
	for range 10_000 {
		b.Add(&trace.SpanData{Name: strings.Repeat("name ", 100), Attrs: attrs})
	}
	spans := b.Commit()
	first, last := spans[len(spans)-2], spans[len(spans)-1]
	if first.Resource() != last.Resource() || first.Scope() != last.Scope() {
		t.Error("neighbours do not share their resource and scope")
	}
	blocks := map[*trace.Block]bool{}
	var bytes int64
	for _, s := range spans {
		if !blocks[s.Block()] {
			blocks[s.Block()] = true
			bytes += s.Block().Size()
		}
	}
	if perSpan := bytes / int64(len(spans)); perSpan > 800 {
		t.Errorf("%d bytes a span, of which 1400 are shared by all", perSpan)
	}
}
