package trace

import (
	"iter"
	"sync/atomic"
)

// Node numbers the spans of a [Graph] in the order in which they were added.
type Node int32

// None is no node.
const None Node = -1

// Rule says what joined two spans, or a span to a flow.
type Rule uint8

const (
	NoRule    Rule = iota
	ByOrigin       // the span starts the flow
	ByTrace        // same trace as the origin
	ByParent       // parent and child
	ByLink         // a span link
	ByMessage      // the same message, by system, destination and id
	ByKey          // a correlation key
	BySession      // the flow is everything that was received
)

var ruleNames = [...]string{"", "origin", "trace", "parent", "link", "message", "correlation key", "session"}

// String returns the word that reports use.
func (r Rule) String() string { return ruleNames[r] }

const chunkSize = 1024

// record is what the graph keeps of one span. What may change after the span
// was added is atomic, because views of older prefixes go on being read; a number
// at or beyond a view's length reads as absent there.
type record struct {
	block, row  uint32
	received    Time
	traceFirst  Node // the first span of its trace
	nextSibling Node // written before it is published by the parent's firstChild
	traceNext   atomic.Int32
	parent      atomic.Int32
	firstChild  atomic.Int32
	out, in     atomic.Int32 // first edge from and to the node; 0 is none
	member      atomic.Int32 // first membership; 0 is none
	copies      atomic.Uint32
}

// edge joins two spans other than as parent and child. Immutable once published.
type edge struct {
	other Node
	next  int32
	rule  Rule
}

// membership says that a node is the index-th member of a flow.
type membership struct {
	flow  uint32
	index int32
	next  int32
	rule  Rule
}

// chunked is a column that grows without moving. One goroutine adds; others may
// read what was added before, also while the table of chunks is replaced.
type chunked[T any] struct {
	table atomic.Pointer[[]*[chunkSize]T]
	n     int
}

func (c *chunked[T]) add() (*T, int) {
	if c.n%chunkSize == 0 {
		var old []*[chunkSize]T
		if t := c.table.Load(); t != nil {
			old = *t
		}
		grown := append(old[:len(old):len(old)], new([chunkSize]T))
		c.table.Store(&grown)
	}
	c.n++
	return c.at(c.n - 1), c.n - 1
}

func (c *chunked[T]) at(i int) *T { return &(*c.table.Load())[i/chunkSize][i%chunkSize] }

// Graph is everything that was received, with the edges that are known so far.
// It has one writer at a time (callers lock); the [View]s and [Flow]s that it
// hands out are read without a lock.
//
// Graph stores edges, it does not find them: see package store.
type Graph struct {
	nodes   chunked[record]
	edges   chunked[edge]
	members chunked[membership]
	blocks  chunked[*Block]
	block   map[*Block]uint32
	last    map[TraceID]Node // the last span of each trace
	flows   uint32
}

// NewGraph returns an empty graph.
func NewGraph() *Graph {
	g := &Graph{block: map[*Block]uint32{}, last: map[TraceID]Node{}}
	g.edges.add() // number 0 means none
	g.members.add()
	return g
}

// Len is the number of spans.
func (g *Graph) Len() int { return g.nodes.n }

// Add appends a span, received at the given moment, and returns its node. It has
// no edges yet but to the other spans of its trace.
func (g *Graph) Add(s Span, received Time) Node {
	r, i := g.nodes.add()
	n := Node(i)
	r.block, r.row, r.received = g.blockNumber(s.b), s.i, received
	r.traceFirst, r.nextSibling = n, None
	r.parent.Store(int32(None))
	r.firstChild.Store(int32(None))
	r.traceNext.Store(int32(None))
	r.copies.Store(1)
	id := s.TraceID()
	if last, ok := g.last[id]; ok {
		r.traceFirst = g.nodes.at(int(last)).traceFirst
		g.nodes.at(int(last)).traceNext.Store(int32(n))
	}
	g.last[id] = n
	return n
}

func (g *Graph) blockNumber(b *Block) uint32 {
	n, ok := g.block[b]
	if !ok {
		slot, i := g.blocks.add()
		*slot, n = b, uint32(i)
		g.block[b] = n
	}
	return n
}

// SetParent makes child a child of parent. It is called at most once for a child.
func (g *Graph) SetParent(child, parent Node) {
	c, p := g.nodes.at(int(child)), g.nodes.at(int(parent))
	c.nextSibling = Node(p.firstChild.Load())
	p.firstChild.Store(int32(child))
	c.parent.Store(int32(parent))
}

// Connect adds an edge from a cause to its effect, such as from a producer to
// the consumer that links to it.
func (g *Graph) Connect(cause, effect Node, rule Rule) {
	g.addEdge(&g.nodes.at(int(effect)).in, cause, rule)
	g.addEdge(&g.nodes.at(int(cause)).out, effect, rule)
}

func (g *Graph) addEdge(head *atomic.Int32, other Node, rule Rule) {
	e, i := g.edges.add()
	*e = edge{other: other, next: head.Load(), rule: rule}
	head.Store(int32(i))
}

// Flows yields the numbers of the flows that n has joined. New ones may be joined
// meanwhile.
func (g *Graph) Flows(n Node) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for i := g.nodes.at(int(n)).member.Load(); i != 0; {
			m := g.members.at(int(i))
			if !yield(m.flow) {
				return
			}
			i = m.next
		}
	}
}

// AddCopy counts one more receipt of a span.
func (g *Graph) AddCopy(n Node) { g.nodes.at(int(n)).copies.Add(1) }

// View freezes what the graph holds now.
func (g *Graph) View() View { return View{g, g.nodes.n} }

// View is a frozen prefix of a [Graph]: everything received up to some moment,
// safe for concurrent use. Edges to later spans read as absent.
type View struct {
	g *Graph
	n int
}

// Received is the number of spans in the view: nodes 0 to Received() − 1.
func (v View) Received() int { return v.n }

// Span returns the span of a node.
func (v View) Span(n Node) Span {
	r := v.g.nodes.at(int(n))
	return Span{*v.g.blocks.at(int(r.block)), r.row}
}

// ReceivedAt is when the span arrived, by the receiver's clock.
func (v View) ReceivedAt(n Node) Time { return v.g.nodes.at(int(n)).received }

// InFlow reports whether the span is a member of any flow. Like Copies it may
// become so later.
func (v View) InFlow(n Node) bool { return v.g.nodes.at(int(n)).member.Load() != 0 }

// Copies is how often the span was received, at least 1. Unlike everything else
// in a view it may grow.
func (v View) Copies(n Node) int { return int(v.g.nodes.at(int(n)).copies.Load()) }

// Parent returns the parent span, if it has arrived.
func (v View) Parent(n Node) (Node, bool) {
	p := Node(v.g.nodes.at(int(n)).parent.Load())
	return p, v.has(p)
}

func (v View) has(n Node) bool { return n >= 0 && int(n) < v.n }

// Children yields the child spans that have arrived, in no particular order.
func (v View) Children(n Node) iter.Seq[Node] {
	return func(yield func(Node) bool) {
		for c := Node(v.g.nodes.at(int(n)).firstChild.Load()); c != None; c = v.g.nodes.at(int(c)).nextSibling {
			if v.has(c) && !yield(c) {
				return
			}
		}
	}
}

// Causes yields the spans that n follows from over links and messages: the
// targets of its links, the producer of its message.
func (v View) Causes(n Node) iter.Seq2[Node, Rule] {
	return v.along(v.g.nodes.at(int(n)).in.Load())
}

// Effects yields the spans that follow from n over links and messages.
func (v View) Effects(n Node) iter.Seq2[Node, Rule] {
	return v.along(v.g.nodes.at(int(n)).out.Load())
}

func (v View) along(first int32) iter.Seq2[Node, Rule] {
	return func(yield func(Node, Rule) bool) {
		for i := first; i != 0; {
			e := v.g.edges.at(int(i))
			if v.has(e.other) && !yield(e.other, e.rule) {
				return
			}
			i = e.next
		}
	}
}

// Trace yields all spans of n's trace in the order of their arrival.
func (v View) Trace(n Node) iter.Seq[Node] {
	return func(yield func(Node) bool) {
		for t := v.g.nodes.at(int(n)).traceFirst; v.has(t); t = Node(v.g.nodes.at(int(t)).traceNext.Load()) {
			if !yield(t) {
				return
			}
		}
	}
}
