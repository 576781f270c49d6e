package trace

import (
	"iter"
	"time"
)

// Span is one finished operation as its service reported it: a view into an
// immutable block. It is small, comparable (== is the same stored row, see
// [Span.Equal] for content) and safe for concurrent use. A kept Span, and every
// string read from it, pins its whole block: clone what outlives the flow.
//
// The zero Span is no span; only IsZero may be called on it.
type Span struct {
	b *Block
	i uint32
}

func (s Span) row() *row { return &s.b.rows[s.i] }

func (s Span) extra() *extraRow {
	if e := s.row().extra; e != 0 {
		return &s.b.extras[e-1]
	}
	return &noExtra
}

var noExtra extraRow

// Block is where the span is stored.
func (s Span) Block() *Block { return s.b }

// Evicted reports whether s stands for a span that had to make room for others. It
// may be asked everything and says nothing.
func (s Span) Evicted() bool { return s.b == tombstone.b }

// IsZero reports whether s is no span.
func (s Span) IsZero() bool { return s.b == nil }

func (s Span) TraceID() TraceID { return s.row().trace }
func (s Span) ID() SpanID       { return s.row().id }

// ParentID is the zero SpanID for a span that names no parent.
func (s Span) ParentID() SpanID { return s.row().parent }

func (s Span) Name() string          { return s.b.str(s.row().name) }
func (s Span) Kind() Kind            { return s.row().kind }
func (s Span) Start() Time           { return s.row().start }
func (s Span) End() Time             { return s.row().end }
func (s Span) Status() Status        { return s.row().status }
func (s Span) StatusMessage() string { return s.b.str(s.extra().message) }
func (s Span) TraceState() string    { return s.b.str(s.extra().state) }
func (s Span) Flags() uint32         { return uint32(s.row().flags) | uint32(s.extra().flags)<<16 }

// Duration is End − Start; negative if the service said so.
func (s Span) Duration() time.Duration { return s.row().end.Sub(s.row().start) }

// Attr returns the span's own attribute, the first if the key stands there twice.
func (s Span) Attr(key string) (Value, bool) { return s.b.find(s.row().attrs, key) }

// Attrs yields the span's own attributes in the order in which they arrived.
func (s Span) Attrs() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) { s.b.each(s.row().attrs, yield) }
}

// Lookup finds key among the attributes of the span, then of its resource, then
// of its scope.
func (s Span) Lookup(key string) (Value, bool) {
	if v, ok := s.Attr(key); ok {
		return v, true
	}
	if v, ok := s.Resource().Attr(key); ok {
		return v, true
	}
	return s.Scope().Attr(key)
}

// Resource is the service that reported the span.
func (s Span) Resource() Resource { return Resource{s.b, uint32(s.row().resource)} }

// Scope is the instrumentation that made the span.
func (s Span) Scope() Scope { return Scope{s.b, uint32(s.row().scope)} }

// Service is the resource's service.name, or "" if it has none.
func (s Span) Service() string { return s.Resource().Service() }

// Dropped counts what the SDK says it dropped of this span.
func (s Span) Dropped() (attrs, events, links uint32) {
	e := s.extra()
	return e.droppedAttrs, e.droppedEvents, e.droppedLinks
}

// Event is something that happened within a span.
type Event struct {
	b *Block
	i uint32
}

// Events yields the span's events in the order in which they arrived.
func (s Span) Events() iter.Seq[Event] {
	return func(yield func(Event) bool) {
		e := s.extra()
		for i := e.events; i < e.events+e.eventCount; i++ {
			if !yield(Event{s.b, i}) {
				return
			}
		}
	}
}

func (e Event) Name() string                  { return e.b.str(e.b.events[e.i].name) }
func (e Event) Time() Time                    { return e.b.events[e.i].time }
func (e Event) Attr(key string) (Value, bool) { return e.b.find(e.b.events[e.i].attrs, key) }
func (e Event) Dropped() uint32               { return e.b.events[e.i].dropped }

// Attrs yields the event's attributes in the order in which they arrived.
func (e Event) Attrs() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) { e.b.each(e.b.events[e.i].attrs, yield) }
}

// Link is a reference from one span to another, often in another trace.
type Link struct {
	b *Block
	i uint32
}

// Links yields the span's links in the order in which they arrived.
func (s Span) Links() iter.Seq[Link] {
	return func(yield func(Link) bool) {
		e := s.extra()
		for i := e.links; i < e.links+e.linkCount; i++ {
			if !yield(Link{s.b, i}) {
				return
			}
		}
	}
}

// Unsampled reports whether l, a link of s, leads to a span that was not sampled and
// therefore never comes. Bit 0 of the flags says that a span was sampled, but many
// exporters leave all of bits 0 to 7 empty: only one that says of s itself that it was
// sampled is taken at its word. (OTLP, SpanFlags; W3C Trace Context, trace-flags.)
func (s Span) Unsampled(l Link) bool {
	const filled, sampled = 0x100, 1
	return s.Flags()&sampled != 0 && l.Flags()&filled != 0 && l.Flags()&sampled == 0
}

func (l Link) TraceID() TraceID              { return l.b.links[l.i].trace }
func (l Link) SpanID() SpanID                { return l.b.links[l.i].id }
func (l Link) TraceState() string            { return l.b.str(l.b.links[l.i].state) }
func (l Link) Flags() uint32                 { return l.b.links[l.i].flags }
func (l Link) Attr(key string) (Value, bool) { return l.b.find(l.b.links[l.i].attrs, key) }
func (l Link) Dropped() uint32               { return l.b.links[l.i].dropped }

// Attrs yields the link's attributes in the order in which they arrived.
func (l Link) Attrs() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) { l.b.each(l.b.links[l.i].attrs, yield) }
}

// Equal reports whether both spans say the same: every field, attribute, event,
// link, resource and scope. Two receipts of one export are Equal.
func (s Span) Equal(t Span) bool {
	return s.Alike(t) && s.Resource().Equal(t.Resource()) && s.Scope().Equal(t.Scope())
}

// Alike reports whether two spans say the same, whatever their resources and scopes
// say: something between the service and followspan may have added to these.
func (s Span) Alike(t Span) bool {
	if s == t {
		return true
	}
	a, b := s.row(), t.row()
	return a.trace == b.trace && a.id == b.id && a.parent == b.parent && a.start == b.start && a.end == b.end &&
		a.kind == b.kind && a.status == b.status && s.Flags() == t.Flags() &&
		s.Name() == t.Name() && s.StatusMessage() == t.StatusMessage() && s.TraceState() == t.TraceState() &&
		equalAttrs(s.b, a.attrs, t.b, b.attrs) && s.equalExtras(t)
}

func (s Span) equalExtras(t Span) bool {
	a, b := s.extra(), t.extra()
	if a.eventCount != b.eventCount || a.linkCount != b.linkCount || a.droppedAttrs != b.droppedAttrs ||
		a.droppedEvents != b.droppedEvents || a.droppedLinks != b.droppedLinks {
		return false
	}
	for i := range a.eventCount {
		x, y := Event{s.b, a.events + i}, Event{t.b, b.events + i}
		if x.Time() != y.Time() || x.Name() != y.Name() || x.Dropped() != y.Dropped() ||
			!equalAttrs(s.b, s.b.events[x.i].attrs, t.b, t.b.events[y.i].attrs) {
			return false
		}
	}
	for i := range a.linkCount {
		x, y := Link{s.b, a.links + i}, Link{t.b, b.links + i}
		if x.TraceID() != y.TraceID() || x.SpanID() != y.SpanID() || x.TraceState() != y.TraceState() || x.Flags() != y.Flags() ||
			x.Dropped() != y.Dropped() || !equalAttrs(s.b, s.b.links[x.i].attrs, t.b, t.b.links[y.i].attrs) {
			return false
		}
	}
	return true
}

func equalAttrs(a *Block, x attrRow, b *Block, y attrRow) bool {
	if a == b && x == y {
		return true
	}
	s, t := a.shapes[x.shape], b.shapes[y.shape]
	if s.n != t.n {
		return false
	}
	for i := range s.n {
		if a.str(a.keys[s.off+i]) != b.str(b.keys[t.off+i]) ||
			a.value(a.kinds[s.off+i], a.cells[x.cells+i]) != b.value(b.kinds[t.off+i], b.cells[y.cells+i]) {
			return false
		}
	}
	return true
}
