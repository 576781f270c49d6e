package store

import (
	"iter"
	"slices"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/followspan/followspan/trace"
)

// spanID is what a parent id or a link can name. Two spans may share one: tracers
// in the style of Zipkin reuse the client's id for the server.
type spanID struct {
	trace trace.TraceID
	span  trace.SpanID
}

func idOf(s trace.Span) spanID { return spanID{s.TraceID(), s.ID()} }

// message is what a producer and its consumers have in common.
type message struct{ system, destination, id string }

// index finds the spans that others name, also if they arrive later.
type index struct {
	graph     *trace.Graph
	joined    []trace.Node            // what add returned
	spans     *lookup                 // by their id
	waiting   *lookup                 // by the id of a parent that has not arrived: the last that waits for it
	linkers   map[spanID][]trace.Node // spans that link to one that has not arrived
	producers map[message][]trace.Node
	consumers map[message][]trace.Node
}

func newIndex(g *trace.Graph) index {
	return index{
		graph: g, spans: newLookup(), waiting: newLookup(), linkers: map[spanID][]trace.Node{},
		producers: map[message][]trace.Node{}, consumers: map[message][]trace.Node{},
	}
}

// find returns the span with the same identity: trace id, span id, service, kind.
func (x *index) find(v trace.View, s trace.Span) (trace.Node, bool) {
	for n := range x.all(v, idOf(s)) {
		if t := v.Span(n); t.Kind() == s.Kind() && t.Service() == s.Service() {
			return n, true
		}
	}
	return trace.None, false
}

// all yields the spans with an id.
func (x *index) all(v trace.View, id spanID) iter.Seq[trace.Node] {
	return func(yield func(trace.Node) bool) { x.each(v, id, yield) }
}

func (x *index) each(v trace.View, id spanID, yield func(trace.Node) bool) {
	for n := range x.spans.find(x.spans.hash(id)) {
		if idOf(v.Span(n)) == id && !yield(n) {
			return
		}
	}
}

// add joins n with its parent, children, links and messages, and returns the
// other spans that got an edge to n and thereby may belong to its flows: until the
// next call.
func (x *index) add(n trace.Node, s trace.Span) (joined []trace.Node) {
	id := idOf(s)
	x.addParent(n, s)
	x.spans.add(x.spans.hash(id), n)
	joined = x.adopt(x.joined[:0], n, id)
	joined = append(joined, x.addLinks(n, s)...)
	x.joined = append(joined, x.addMessage(n, s)...)
	return x.joined
}

func (x *index) addParent(n trace.Node, s trace.Span) {
	v := x.graph.View()
	// The server's half of a shared id hangs under the client's half.
	if s.Kind() == trace.Server {
		for half := range x.all(v, idOf(s)) {
			if v.Span(half).Kind() == trace.Client {
				x.graph.SetParent(n, half)
				return
			}
		}
	}
	if s.ParentID().IsZero() {
		return
	}
	parent := parentOf(s)
	hash := x.waiting.hash(parent)
	// Who waits already shows that the parent is not there, without a look at all spans.
	first := x.firstWaiting(v, hash, parent)
	if first == trace.None {
		if p := x.parent(v, s); p != trace.None {
			x.graph.SetParent(n, p)
			return
		}
		x.waiting.add(hash, n)
	} else {
		x.waiting.replace(hash, first, n)
	}
	x.graph.Chain(n, first)
}

func parentOf(s trace.Span) spanID { return spanID{s.TraceID(), s.ParentID()} }

// parent chooses among the spans with the id that s names the one whose kind suits
// the edge: a client calls a server, everything else hangs under the server's half.
// If none does it is the first, and None if there is none.
func (x *index) parent(v trace.View, s trace.Span) trace.Node {
	found := trace.None
	for p := range x.all(v, parentOf(s)) {
		if (s.Kind() == trace.Server) == (v.Span(p).Kind() == trace.Client) {
			return p
		}
		if found == trace.None || p < found {
			found = p
		}
	}
	return found
}

func (x *index) firstWaiting(v trace.View, hash uint64, parent spanID) trace.Node {
	for n := range x.waiting.find(hash) {
		if parentOf(v.Span(n)) == parent {
			return n
		}
	}
	return trace.None
}

// adopt gives n the children that have waited for it, and appends them to children.
func (x *index) adopt(children []trace.Node, n trace.Node, id spanID) []trace.Node {
	hash := x.waiting.hash(id)
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
	return slices.DeleteFunc(children, func(c trace.Node) bool {
		if isAncestor(x.graph.View(), c, n) {
			return true
		}
		x.graph.SetParent(c, n)
		return false
	})
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
		id := spanID{l.TraceID(), l.SpanID()}
		if target := x.first(v, id); target != trace.None {
			connect(x.graph, target, n, trace.ByLink)
		} else {
			x.linkers[id] = append(x.linkers[id], n)
		}
	}
	if len(x.linkers) == 0 {
		return nil
	}
	for _, linker := range x.linkers[idOf(s)] {
		connect(x.graph, n, linker, trace.ByLink)
		joined = append(joined, linker)
	}
	delete(x.linkers, idOf(s))
	return joined
}

// first is the span with an id that arrived first, None if none has.
func (x *index) first(v trace.View, id spanID) trace.Node {
	found := trace.None
	for n := range x.all(v, id) {
		if found == trace.None || n < found {
			found = n
		}
	}
	return found
}

func (x *index) addMessage(n trace.Node, s trace.Span) (joined []trace.Node) {
	m := messageOf(s)
	if m.id == "" {
		return nil
	}
	switch s.Kind() {
	case trace.Producer:
		x.producers[m] = append(x.producers[m], n)
		for _, c := range x.consumers[m] {
			if connect(x.graph, n, c, trace.ByMessage) {
				joined = append(joined, c)
			}
		}
	case trace.Consumer:
		x.consumers[m] = append(x.consumers[m], n)
		for _, p := range x.producers[m] {
			connect(x.graph, p, n, trace.ByMessage)
		}
	}
	return joined
}

// connect adds an edge unless the two are joined already, by a link or as parent
// and child; the first rule is the one that reports name.
func connect(g *trace.Graph, cause, effect trace.Node, rule trace.Rule) bool {
	v := g.View()
	if p, ok := v.Parent(effect); ok && p == cause || cause == effect {
		return false
	}
	for known := range v.Causes(effect) {
		if known == cause {
			return false
		}
	}
	g.Connect(cause, effect, rule)
	return true
}

func messageOf(s trace.Span) message {
	if k := s.Kind(); k != trace.Producer && k != trace.Consumer {
		return message{}
	}
	return message{text(s, string(semconv.MessagingSystemKey)), destination(s), text(s, string(semconv.MessagingMessageIDKey))}
}

func destination(s trace.Span) string { return text(s, string(semconv.MessagingDestinationNameKey)) }

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
