package trace

import (
	"iter"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"
)

// Node numbers the spans of a [Graph] in the order in which they were added.
type Node int32

// None is no node.
const None Node = -1

// record is what the graph keeps of one span. What may change after the span was
// added is atomic, because views of older prefixes go on being read; a number at
// or beyond a view's length reads as absent there.
type record struct {
	place       atomic.Uint64 // block << 32 | row; 0 once the span was evicted
	received    Time
	trace       uint32
	traceNext   atomic.Int32
	tracePrev   Node // the writer's, like prevSibling
	parent      atomic.Int32
	firstChild  atomic.Int32
	nextSibling atomic.Int32
	prevSibling Node
	out, in     atomic.Int32 // first edge from and to the node; 0 is none
	member      atomic.Int32 // first membership; 0 is none
	copies      atomic.Uint32
	torn        atomic.Bool // a child was evicted
}

// lost is the record of a span that was evicted together with all around it.
var lost = newLost()

func newLost() *record {
	r := &record{}
	r.unlink()
	return r
}

// unlink gives r no neighbours.
func (r *record) unlink() {
	r.tracePrev, r.prevSibling = None, None
	r.traceNext.Store(int32(None))
	r.parent.Store(int32(None))
	r.firstChild.Store(int32(None))
	r.nextSibling.Store(int32(None))
}

func (r *record) evicted() bool { return r.place.Load() == 0 }

// edge joins two spans other than as parent and child. Once published it is immutable,
// but for that it can be taken away.
type edge struct {
	other Node
	next  int32
	rule  atomic.Uint32 // NoRule once it was taken away
}

func (e *edge) gone() bool { return Rule(e.rule.Load()) == NoRule }

// membership says that a node is the index-th member of a flow.
type membership struct {
	flow  uint32
	index int32
	next  atomic.Int32
	// how is the rule that joined it, and causedBit where an origin or a trigger started
	// the flow: where it did not merely gather.
	how atomic.Uint32
}

const causedBit = 1 << 8

func (m *membership) rule() Rule   { return Rule(m.how.Load()) }
func (m *membership) caused() bool { return m.how.Load()&causedBit != 0 }

// traceRecord is what the spans of one trace have in common.
type traceRecord struct {
	first atomic.Int32 // None if there is none
	last  Node
	live  int32
	torn  atomic.Bool // a span was evicted
}

// Graph is everything that was received, with the edges that are known so far.
// It has one writer at a time (callers lock); the [View]s and [Flow]s that it
// hands out are read without a lock.
//
// Graph stores edges, it does not find them, and it evicts what it is told to: see
// package store.
type Graph struct {
	nodes   chunked[record]
	edges   chunked[edge]
	members chunked[membership]
	traces  chunked[traceRecord]
	blocks  chunked[blockRecord]
	flows   uint32
	moves   atomic.Uint32 // of children to other parents, begun and ended; see sibling

	traceNumber map[TraceID]uint32 // of traces that have spans
	blockNumber map[*Block]uint32
	blockBytes  int64
	services    sync.Map // the first span of each, a Node, by its name
	lastService Resource // whose service is known
	lastTrace   TraceID  // whose number is lastNumber
	lastNumber  uint32
	filling     []uint32 // blocks that were not full when they came
	thin        []uint32 // blocks for Compact to rewrite
	reclaimable int64
	live        int   // spans that are not evicted
	memberBytes int64 // of the lists of members

	serviceBytes int64
}

// NewGraph returns an empty graph.
func NewGraph() *Graph {
	g := &Graph{blockNumber: map[*Block]uint32{}, traceNumber: map[TraceID]uint32{}}
	g.edges.add() // number 0 means none
	g.members.add()
	g.traces.add()
	g.blocks.add()
	return g
}

// Len is the number of spans that were ever added, Live that of those that were not
// evicted.
func (g *Graph) Len() int  { return g.nodes.n }
func (g *Graph) Live() int { return g.live }

// First is the first span of a trace that was not evicted.
func (g *Graph) First(id TraceID) (Node, bool) {
	n, ok := g.traceNumber[id]
	if !ok {
		return None, false
	}
	return Node(g.traces.at(int(n)).first.Load()), true
}

// Add appends a span, received at the given moment, and returns its node. It has
// no edges yet but to the other spans of its trace.
func (g *Graph) Add(s Span, received Time) Node {
	r, i := g.nodes.add()
	n := Node(i)
	r.unlink()
	r.received = received
	r.place.Store(g.place(s, n))
	r.copies.Store(1)
	g.appendToTrace(r, n, s.TraceID())
	g.addService(s.Resource(), n)
	g.live++
	return n
}

func (g *Graph) addService(r Resource, n Node) {
	if r == g.lastService {
		return
	}
	g.lastService = r
	name := r.Service()
	if _, known := g.services.Load(name); known {
		return
	}
	g.services.Store(strings.Clone(name), n)
	g.serviceBytes += int64(len(name)) + serviceBytes
}

func (g *Graph) appendToTrace(r *record, n Node, id TraceID) {
	r.trace = g.numberOf(id)
	t := g.traces.at(int(r.trace))
	if last := t.last; last != None {
		r.tracePrev = last
		g.nodes.at(int(last)).traceNext.Store(int32(n))
	} else {
		t.first.Store(int32(n))
	}
	t.last = n
	t.live++
}

// numberOf is the number of a trace, a new one if it has no spans.
func (g *Graph) numberOf(id TraceID) uint32 {
	if g.lastNumber != 0 && id == g.lastTrace {
		return g.lastNumber
	}
	n, ok := g.traceNumber[id]
	if !ok {
		t, i := g.traces.add()
		t.first.Store(int32(None))
		t.last = None
		n = uint32(i)
		g.traceNumber[id] = n
	}
	g.lastTrace, g.lastNumber = id, n
	return n
}

// SetParent makes child a child of parent. A child that has another parent leaves it:
// whoever reads the list of children that it stood in begins again at its head, as
// for one that was evicted.
func (g *Graph) SetParent(child, parent Node) {
	c, p := g.nodes.at(int(child)), g.nodes.at(int(parent))
	if c.parent.Load() == int32(None) {
		c.parent.Store(int32(parent)) // Before the list leads to it; see eachChild.
		g.joinSiblings(child, c, p)
		return
	}
	g.moves.Add(1)
	g.leaveSiblings(c)
	c.parent.Store(int32(parent))
	g.joinSiblings(child, c, p)
	g.moves.Add(1)
}

// joinSiblings puts a child into the list of its parent's, which is in the order of their
// nodes, the newest first.
func (g *Graph) joinSiblings(child Node, c, parent *record) {
	before, after := None, Node(parent.firstChild.Load())
	for after > child {
		before, after = after, Node(g.nodes.at(int(after)).nextSibling.Load())
	}
	c.prevSibling = before
	c.nextSibling.Store(int32(after))
	if after != None {
		g.nodes.at(int(after)).prevSibling = child
	}
	if before != None {
		g.nodes.at(int(before)).nextSibling.Store(int32(child))
	} else {
		parent.firstChild.Store(int32(child))
	}
}

// Chain puts a span without a parent in front of another such one, or of None. What
// such chains are for is the caller's; they are only for the graph's writer.
func (g *Graph) Chain(n, next Node) {
	r := g.nodes.at(int(n))
	r.prevSibling = None
	r.nextSibling.Store(int32(next))
	if next != None {
		g.nodes.at(int(next)).prevSibling = n
	}
}

// Unchain takes a span out of its chain and returns the one behind it.
func (g *Graph) Unchain(n Node) (next Node) {
	r := g.nodes.at(int(n))
	next = Node(r.nextSibling.Swap(int32(None)))
	if r.prevSibling != None {
		g.nodes.at(int(r.prevSibling)).nextSibling.Store(int32(next))
	}
	if next != None {
		g.nodes.at(int(next)).prevSibling = r.prevSibling
	}
	r.prevSibling = None
	return next
}

// Connect adds an edge from a cause to its effect, such as from a producer to
// the consumer that links to it.
func (g *Graph) Connect(cause, effect Node, rule Rule) {
	g.addEdge(&g.nodes.at(int(effect)).in, cause, rule)
	g.addEdge(&g.nodes.at(int(cause)).out, effect, rule)
}

// Connected reports whether there is such an edge. It looks at as many as the one of
// the two has that has fewer.
func (g *Graph) Connected(cause, effect Node) bool {
	out, in := g.record(cause).out.Load(), g.record(effect).in.Load()
	for out != 0 && in != 0 {
		from, to := g.edges.at(int(out)), g.edges.at(int(in))
		if from.other == effect && !from.gone() || to.other == cause && !to.gone() {
			return true
		}
		out, in = from.next, to.next
	}
	return false
}

func (g *Graph) addEdge(head *atomic.Int32, other Node, rule Rule) {
	e, i := g.edges.add()
	e.other, e.next = other, head.Load()
	e.rule.Store(uint32(rule))
	head.Store(int32(i))
}

// Disconnect takes the edge from a cause to its effect away, if there is one, and reports
// whether there was: the two have turned out to have nothing to do with each other. Views
// that were frozen before lose it, too. Neither span may have been evicted.
func (g *Graph) Disconnect(cause, effect Node) bool {
	return g.removeEdge(&g.record(cause).out, effect) && g.removeEdge(&g.record(effect).in, cause)
}

func (g *Graph) removeEdge(head *atomic.Int32, other Node) bool {
	for i := head.Load(); i != 0; {
		e := g.edges.at(int(i))
		if e.other == other && !e.gone() {
			e.rule.Store(uint32(NoRule))
			return true
		}
		i = e.next
	}
	return false
}

// Flows yields the numbers of the flows that n has joined. New ones may be joined
// meanwhile.
func (g *Graph) Flows(n Node) iter.Seq[uint32] {
	return func(yield func(uint32) bool) { g.eachFlow(g.record(n), yield) }
}

func (g *Graph) eachFlow(r *record, yield func(uint32) bool) {
	for i := r.member.Load(); i != 0; {
		m := g.members.at(int(i))
		if !yield(m.flow) {
			return
		}
		i = m.next.Load()
	}
}

// AddCopy counts one more receipt of a span.
func (g *Graph) AddCopy(n Node) { g.nodes.at(int(n)).copies.Add(1) }

// View freezes what the graph holds now.
func (g *Graph) View() View { return View{g, g.nodes.n} }

// Bytes is what the graph takes of memory, with the blocks of its spans. A map
// costs about mapEntry bytes for each entry beside key and value.
func (g *Graph) Bytes() int64 {
	maps := len(g.traceNumber)*(20+mapEntry) + len(g.blockNumber)*(12+mapEntry)
	return g.blockBytes + g.memberBytes + g.serviceBytes + g.nodes.bytes() + g.edges.bytes() + g.members.bytes() + g.traces.bytes() + g.blocks.bytes() + int64(maps)
}

const (
	mapEntry     = 12
	serviceBytes = 150 // in a map for many readers
)

// record is that of a node, or one that says nothing if it was evicted long ago.
func (g *Graph) record(n Node) *record {
	if r := g.nodes.at(int(n)); r != nil {
		return r
	}
	return lost
}

func sizeOf[T any]() int64 {
	var one T
	return int64(unsafe.Sizeof(one))
}
