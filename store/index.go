package store

import (
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
	first     map[spanID]trace.Node
	more      map[spanID][]trace.Node // further spans with the same id
	children  map[spanID][]trace.Node // spans whose parent has not arrived
	linkers   map[spanID][]trace.Node // spans that link to one that has not arrived
	producers map[message][]trace.Node
	consumers map[message][]trace.Node
}

func newIndex() index {
	return index{
		first: map[spanID]trace.Node{}, more: map[spanID][]trace.Node{},
		children: map[spanID][]trace.Node{}, linkers: map[spanID][]trace.Node{},
		producers: map[message][]trace.Node{}, consumers: map[message][]trace.Node{},
	}
}

// find returns the span with the same identity: trace id, span id, service, kind.
func (x *index) find(v trace.View, s trace.Span) (trace.Node, bool) {
	for _, n := range x.all(idOf(s)) {
		if t := v.Span(n); t.Kind() == s.Kind() && t.Service() == s.Service() {
			return n, true
		}
	}
	return trace.None, false
}

func (x *index) all(id spanID) []trace.Node {
	n, ok := x.first[id]
	if !ok {
		return nil
	}
	return append([]trace.Node{n}, x.more[id]...)
}

// add joins n with its parent, children, links and messages, and returns the
// other spans that got an edge to n and thereby may belong to its flows.
func (x *index) add(g *trace.Graph, n trace.Node, s trace.Span) (joined []trace.Node) {
	id := idOf(s)
	x.addParent(g, n, s)
	if _, taken := x.first[id]; taken {
		x.more[id] = append(x.more[id], n)
	} else {
		x.first[id] = n
	}
	for _, child := range x.children[id] {
		if !isAncestor(g.View(), child, n) {
			g.SetParent(child, n)
			joined = append(joined, child)
		}
	}
	delete(x.children, id)
	joined = append(joined, x.addLinks(g, n, s)...)
	return append(joined, x.addMessage(g, n, s)...)
}

func (x *index) addParent(g *trace.Graph, n trace.Node, s trace.Span) {
	v := g.View()
	// The server's half of a shared id hangs under the client's half.
	if s.Kind() == trace.Server {
		for _, half := range x.all(idOf(s)) {
			if v.Span(half).Kind() == trace.Client {
				g.SetParent(n, half)
				return
			}
		}
	}
	if s.ParentID().IsZero() {
		return
	}
	id := spanID{s.TraceID(), s.ParentID()}
	candidates := x.all(id)
	if len(candidates) == 0 {
		x.children[id] = append(x.children[id], n)
		return
	}
	g.SetParent(n, prefer(v, candidates, s.Kind()))
}

// prefer chooses among spans that share an id the one whose kind suits the edge:
// a client calls a server, everything else hangs under the server's half.
func prefer(v trace.View, candidates []trace.Node, child trace.Kind) trace.Node {
	for _, c := range candidates {
		if (child == trace.Server) == (v.Span(c).Kind() == trace.Client) {
			return c
		}
	}
	return candidates[0]
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

func (x *index) addLinks(g *trace.Graph, n trace.Node, s trace.Span) (joined []trace.Node) {
	for l := range s.Links() {
		id := spanID{l.TraceID(), l.SpanID()}
		if targets := x.all(id); len(targets) > 0 {
			connect(g, targets[0], n, trace.ByLink)
		} else {
			x.linkers[id] = append(x.linkers[id], n)
		}
	}
	for _, linker := range x.linkers[idOf(s)] {
		connect(g, n, linker, trace.ByLink)
		joined = append(joined, linker)
	}
	delete(x.linkers, idOf(s))
	return joined
}

func (x *index) addMessage(g *trace.Graph, n trace.Node, s trace.Span) (joined []trace.Node) {
	m := messageOf(s)
	if m.id == "" {
		return nil
	}
	switch s.Kind() {
	case trace.Producer:
		x.producers[m] = append(x.producers[m], n)
		for _, c := range x.consumers[m] {
			if connect(g, n, c, trace.ByMessage) {
				joined = append(joined, c)
			}
		}
	case trace.Consumer:
		x.consumers[m] = append(x.consumers[m], n)
		for _, p := range x.producers[m] {
			connect(g, p, n, trace.ByMessage)
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
