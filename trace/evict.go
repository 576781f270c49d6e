package trace

import (
	"iter"
	"slices"
	"sync/atomic"
)

// Evicting takes spans out of a [Graph] while others go on reading it. A reader
// comes to a span over its record only. That says with one word where the span
// lies, so an evicted span is gone at once, and its block is released or rewritten
// without asking anybody: whoever holds a [Span] keeps its block alive by that. A
// chunk of records is released when all of them are evicted. Who stands in a list
// of which the next record was released begins again at the list's head, from which
// that record cannot be reached any more.

// blockRecord is what the graph knows of a block.
type blockRecord struct {
	block       atomic.Pointer[Block] // nil once it was released
	first, last Node                  // which of the graph's spans may lie in it
	live        int                   // how many do
	thin        bool                  // less than half is needed
	spare       int64                 // what rewriting it gives back
}

// tombstone is what is left of a span that was evicted.
var tombstone = func() Span {
	var w Builder
	w.Add(&SpanData{})
	return w.Commit()[0]
}()

// place is where the graph keeps a span. The blocks are numbered as they come.
func (g *Graph) place(s Span, n Node) uint64 {
	number, ok := g.blockNumber[s.b]
	if !ok {
		b, i := g.blocks.add()
		b.block.Store(s.b)
		b.first, b.last = n, n
		number = uint32(i)
		g.blockNumber[s.b] = number
		g.blockBytes += s.b.Size()
		g.lookAtFilled()
		g.filling = append(g.filling, number)
	}
	b := g.blocks.at(int(number))
	b.first, b.last = min(b.first, n), max(b.last, n)
	b.live++
	return uint64(number)<<32 | uint64(s.i)
}

// lookAtFilled looks at blocks that may have lost spans before they were full.
func (g *Graph) lookAtFilled() {
	g.filling = slices.DeleteFunc(g.filling, func(number uint32) bool {
		b := g.blockAt(number)
		if b != nil {
			g.vacate(number, 0)
		}
		return b == nil || b.full.Load() > 0
	})
}

// blockAt is nil if the block was released.
func (g *Graph) blockAt(number uint32) *Block {
	if b := g.blocks.at(int(number)); b != nil {
		return b.block.Load()
	}
	return nil
}

// Holds reports whether a block is accounted for in Bytes.
func (g *Graph) Holds(b *Block) bool {
	_, ok := g.blockNumber[b]
	return ok
}

// Evict forgets a span with its edges and memberships. The numbers of nodes are
// not given again.
func (g *Graph) Evict(n Node) {
	r := g.record(n)
	place := r.place.Load()
	if place == 0 {
		return
	}
	id := g.View().Span(n).TraceID()
	g.tear(r)
	r.place.Store(0)
	g.leaveSiblings(r)
	g.leaveTrace(r, id)
	for _, head := range []*atomic.Int32{&r.in, &r.out} {
		g.dropEdges(head)
	}
	g.dropMemberships(r)
	g.vacate(uint32(place>>32), 1)
	g.nodes.drop(int(n))
	g.live--
}

// tear marks what is about to miss a span.
func (g *Graph) tear(r *record) {
	if p := Node(r.parent.Load()); p != None {
		if p := g.record(p); p != lost {
			p.torn.Store(true)
		}
	}
	g.traces.at(int(r.trace)).torn.Store(true)
}

// leaveSiblings takes a span off the list of its parent's children. The list of a
// parent that was evicted is not read any more.
func (g *Graph) leaveSiblings(r *record) {
	parent := Node(r.parent.Load())
	if parent == None || g.record(parent).evicted() {
		return
	}
	next := r.nextSibling.Load()
	if r.prevSibling != None {
		g.nodes.at(int(r.prevSibling)).nextSibling.Store(next)
	} else {
		g.nodes.at(int(parent)).firstChild.Store(next)
	}
	if next != int32(None) {
		g.nodes.at(int(next)).prevSibling = r.prevSibling
	}
}

func (g *Graph) leaveTrace(r *record, id TraceID) {
	t := g.traces.at(int(r.trace))
	next := r.traceNext.Load()
	if r.tracePrev != None {
		g.nodes.at(int(r.tracePrev)).traceNext.Store(next)
	} else {
		t.first.Store(next)
	}
	if next != int32(None) {
		g.nodes.at(int(next)).tracePrev = r.tracePrev
	} else {
		t.last = r.tracePrev
	}
	if t.live--; t.live == 0 {
		delete(g.traceNumber, id)
		g.lastNumber = 0
		g.traces.drop(int(r.trace))
	}
}

func (g *Graph) dropEdges(head *atomic.Int32) {
	for i := head.Swap(0); i != 0; {
		next := g.edges.at(int(i)).next
		g.edges.drop(int(i))
		i = next
	}
}

func (g *Graph) dropMemberships(r *record) {
	for i := r.member.Swap(0); i != 0; {
		next := g.members.at(int(i)).next.Load()
		g.members.drop(int(i))
		i = next
	}
}

// vacate says that so many rows of a block are needed no more. A block of which no
// row is needed is released once its builder has left it.
func (g *Graph) vacate(number uint32, rows int) {
	b := g.blocks.at(int(number))
	b.live -= rows
	block := b.block.Load()
	switch full := int(block.full.Load()); {
	case full == 0:
	case b.live == 0:
		g.release(number, b, block)
	case 2*b.live < full:
		g.reclaim(b, block.Size()*int64(full-b.live)/int64(full))
		if !b.thin {
			b.thin = true
			g.thin = append(g.thin, number)
		}
	}
}

func (g *Graph) reclaim(b *blockRecord, spare int64) {
	g.reclaimable += spare - b.spare
	b.spare = spare
}

func (g *Graph) release(number uint32, b *blockRecord, block *Block) {
	g.reclaim(b, 0)
	if g.lastService.b == block {
		g.lastService = Resource{} // It would keep the block.
	}
	b.block.Store(nil)
	delete(g.blockNumber, block)
	g.blockBytes -= block.Size()
	g.blocks.drop(int(number))
}

// Reclaimable is about how many bytes Compact gives back.
func (g *Graph) Reclaimable() int64 { return g.reclaimable }

// Compact rewrites the blocks of which less than half is needed.
func (g *Graph) Compact() {
	thin := slices.DeleteFunc(g.thin, func(number uint32) bool { return g.blockAt(number) == nil })
	g.thin = nil
	live := 0
	for _, number := range thin {
		live += g.blocks.at(int(number)).live
	}
	if live == 0 {
		return
	}
	g.rewrite(thin, live)
	for _, number := range thin {
		b := g.blocks.at(int(number))
		g.release(number, b, b.block.Load())
	}
}

// rewrite moves so many spans, all that are left in some blocks, to new blocks
// without room for more.
func (g *Graph) rewrite(thin []uint32, live int) {
	v, w := g.View(), Builder{typical: g.blockAt(thin[0]).used, first: min(live, largeBlock)}
	c := copier{to: &w}
	nodes := make([]Node, 0, live)
	for _, number := range thin {
		for n := range g.nodesIn(number) {
			c.copy(v.Span(n))
			nodes = append(nodes, n)
		}
	}
	for i, s := range w.commitTrimmed() {
		g.nodes.at(int(nodes[i])).place.Store(g.place(s, nodes[i]))
	}
}

// nodesIn yields the nodes of the spans that lie in a block.
func (g *Graph) nodesIn(block uint32) iter.Seq[Node] {
	return func(yield func(Node) bool) {
		b := g.blocks.at(int(block))
		for n := b.first; n <= b.last; n++ {
			r := g.nodes.at(int(n))
			if r == nil {
				n |= chunkSize - 1 // to the end of what was released
				continue
			}
			if r.place.Load()>>32 == uint64(block) && !yield(n) {
				return
			}
		}
	}
}
