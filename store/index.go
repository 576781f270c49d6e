package store

import (
	"hash/maphash"
	"iter"
	"slices"
	"unsafe"

	"github.com/followspan/followspan/trace"
)

// spanID is what a parent id or a link can name. Two spans may share one: tracers
// in the style of Zipkin reuse the client's id for the server.
type spanID struct {
	trace trace.TraceID
	span  trace.SpanID
}

func idOf(s trace.Span) spanID { return spanID{s.TraceID(), s.ID()} }

// index finds the spans that others name, also if they arrive later.
type index struct {
	graph     *trace.Graph
	seed      maphash.Seed
	joined    []trace.Node     // what add returned first
	moved     []move           // what it moved
	parted    []trace.Node     // consumers that it took a producer from
	spans     lookup           // by their id
	waiting   lookup           // by the id of a parent that has not arrived: the last that waits for it
	linkers   linkers          // spans that link to one that has not arrived
	producers lookup           // by their message
	consumers lookup           // of each message the first
	others    crowds[uint64]   // and the others, by the hash of their message
	shared    map[message]bool // messages that were sent in several traces; see Stats
}

func newIndex(g *trace.Graph) index {
	return index{graph: g, seed: maphash.MakeSeed(), linkers: newLinkers(), others: newCrowds[uint64](), shared: map[message]bool{}}
}

// spanHashes are those of a span's id and of its parent's.
type spanHashes struct{ own, parent uint64 }

// hash hashes what a span is found by that is about to be added.
func (x *index) hash(s trace.Span) spanHashes {
	return spanHashes{x.hashID(idOf(s)), x.hashID(parentOf(s))}
}

func (x *index) hashID(id spanID) uint64 {
	return maphash.Bytes(x.seed, unsafe.Slice((*byte)(unsafe.Pointer(&id)), unsafe.Sizeof(id)))
}

func (x *index) hashMessage(m message) uint64 { return maphash.Comparable(x.seed, m) }

// maxShared is how many spans may share an id. One that more have is no id.
const maxShared = 64

// find returns the span with the same identity, trace id, span id, service and kind, or
// one of those that share the id if it is taken: None if there is none. The id is shared
// if other spans have it.
func (x *index) find(v trace.View, s trace.Span, h spanHashes) (twin trace.Node, shared bool) {
	others := 0
	for n := range x.all(v, idOf(s), h.own) {
		if t := v.Span(n); t.Kind() == s.Kind() && t.Service() == s.Service() {
			return n, true
		}
		if others++; others == maxShared {
			return n, true
		}
	}
	return trace.None, others > 0
}

// all yields the spans with an id.
func (x *index) all(v trace.View, id spanID, hash uint64) iter.Seq[trace.Node] {
	return func(yield func(trace.Node) bool) { x.each(v, id, hash, yield) }
}

func (x *index) each(v trace.View, id spanID, hash uint64, yield func(trace.Node) bool) {
	for n := range x.spans.find(hash) {
		if idOf(v.Span(n)) == id && !yield(n) {
			return
		}
	}
}

// has reports whether a span with the id is held.
func (x *index) has(v trace.View, id spanID) bool {
	for range x.all(v, id, x.hashID(id)) {
		return true
	}
	return false
}

// add joins n with its parent, children, links and messages, and returns the
// other spans that waited for n, which is their cause now: until the next call. If
// other spans have its id, it also returns those that got another cause; see unite.
func (x *index) add(n trace.Node, s trace.Span, h spanHashes, shared bool) (joined, united []trace.Node) {
	x.moved, x.parted = x.moved[:0], x.parted[:0]
	x.addParent(n, s, h, shared)
	x.spans.add(h.own, n)
	joined = x.adopt(x.joined[:0], n, idOf(s), h.own)
	joined = append(joined, x.addLinks(n, s)...)
	joined = append(joined, x.addMessage(n, s)...)
	if shared {
		united = x.unite(idOf(s), h.own)
	}
	x.joined = joined
	return joined, united
}

func (x *index) addParent(n trace.Node, s trace.Span, h spanHashes, shared bool) {
	v := x.graph.View()
	if shared {
		if half := x.clientHalf(v, s, h); half != trace.None {
			x.graph.SetParent(n, half)
			return
		}
	}
	if s.ParentID().IsZero() {
		return
	}
	// Who waits already shows that the parent is not there, without a look at all spans.
	first := x.firstWaiting(v, h.parent, parentOf(s))
	if first == trace.None {
		if p := x.named(v, s, h); p != trace.None {
			x.graph.SetParent(n, p)
			return
		}
		x.waiting.add(h.parent, n)
	} else {
		x.waiting.replace(h.parent, first, n)
	}
	x.graph.Chain(n, first)
}

func parentOf(s trace.Span) spanID { return spanID{s.TraceID(), s.ParentID()} }

func (x *index) firstWaiting(v trace.View, hash uint64, parent spanID) trace.Node {
	for n := range x.waiting.find(hash) {
		if parentOf(v.Span(n)) == parent {
			return n
		}
	}
	return trace.None
}

// adopt gives n the children that have waited for it, and appends them to children.
func (x *index) adopt(children []trace.Node, n trace.Node, id spanID, hash uint64) []trace.Node {
	c := x.firstWaiting(x.graph.View(), hash, id)
	if c == trace.None {
		return children
	}
	x.waiting.remove(hash, c)
	for c != trace.None {
		children = append(children, c)
		c = x.graph.Unchain(c)
	}
	slices.Reverse(children) // in the order of their arrival
	// None of them has a parent, so the one that n is below, if any, is at the top.
	above := top(x.graph.View(), n)
	return slices.DeleteFunc(children, func(c trace.Node) bool {
		if c == above {
			return true
		}
		x.graph.SetParent(c, n)
		return false
	})
}

// top is the last of the spans above n, or n.
func top(v trace.View, n trace.Node) trace.Node {
	for p, ok := v.Parent(n); ok; p, ok = v.Parent(n) {
		n = p
	}
	return n
}

// isAncestor reports whether a is n or stands above it. Spans that name each other
// as parents are a sender's mistake; refusing the edge that would close the
// circle keeps every walk finite.
func isAncestor(v trace.View, a, n trace.Node) bool {
	for ok := true; ok; n, ok = v.Parent(n) {
		if n == a {
			return true
		}
	}
	return false
}

func (x *index) addLinks(n trace.Node, s trace.Span) (joined []trace.Node) {
	v := x.graph.View()
	for l := range s.Links() {
		id, arrived := spanID{l.TraceID(), l.SpanID()}, false
		for target := range x.all(v, id, x.hashID(id)) {
			connect(x.graph, target, n, trace.ByLink)
			arrived = true
		}
		if !arrived {
			x.linkers.add(id, n)
		}
	}
	for _, linker := range x.linkers.arrived(idOf(s)) {
		if !v.Evicted(linker) {
			connect(x.graph, n, linker, trace.ByLink)
			joined = append(joined, linker)
		}
	}
	return joined
}

// remove forgets a span before it is evicted.
func (x *index) remove(n trace.Node, s trace.Span) {
	x.spans.remove(x.hashID(idOf(s)), n)
	v := x.graph.View()
	if _, arrived := v.Parent(n); !arrived && !s.ParentID().IsZero() {
		x.leave(v, n, parentOf(s))
	}
	for l := range s.Links() {
		x.linkers.remove(v, spanID{l.TraceID(), l.SpanID()}, n)
	}
	if m := messageOf(s); m.id != "" {
		hash := x.hashMessage(m)
		x.producers.remove(hash, n)
		x.consumers.remove(hash, n)
		x.others.remove(v, hash, n)
	}
}

// leave takes n out of those that wait for a parent.
func (x *index) leave(v trace.View, n trace.Node, parent spanID) {
	hash := x.hashID(parent)
	first := x.firstWaiting(v, hash, parent)
	next := x.graph.Unchain(n)
	switch {
	case first != n:
	case next == trace.None:
		x.waiting.remove(hash, n)
	default:
		x.waiting.replace(hash, n, next)
	}
}

// bytes is what the index takes of memory.
func (x *index) bytes() int64 {
	return x.spans.bytes() + x.waiting.bytes() + x.producers.bytes() + x.consumers.bytes() + x.linkers.bytes() + x.others.bytes()
}

// connect adds an edge unless the two are joined already, by a link or as parent
// and child; the first rule is the one that reports name.
func connect(g *trace.Graph, cause, effect trace.Node, rule trace.Rule) bool {
	if p, ok := g.View().Parent(effect); ok && p == cause || cause == effect || g.Connected(cause, effect) {
		return false
	}
	g.Connect(cause, effect, rule)
	return true
}

// anyText is text for an attribute that a span may have under a former name.
func anyText(s trace.Span, key string) string {
	for _, name := range trace.Aliases(key) {
		if t := text(s, name); t != "" && !s.Kind().TellsApart(key, name) {
			return t
		}
	}
	return ""
}

// text returns a span's attribute as text, "" if it is missing.
func text(s trace.Span, key string) string {
	v, ok := s.Attr(key)
	switch {
	case !ok:
		return ""
	case v.Kind() == trace.String:
		return v.Str()
	}
	return v.String()
}
