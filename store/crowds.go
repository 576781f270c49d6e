package store

import (
	"slices"

	"github.com/followspan/followspan/trace"
)

// crowds are lists of nodes, each of those that have something in common. They may be
// long, and grow and shrink at no more cost for that.
type crowds[K comparable] struct {
	by    map[K]*crowd
	nodes int // places in all lists
}

// crowd is one list, in the order of its nodes.
type crowd struct {
	nodes []trace.Node // some may have been evicted
	count int          // of those that were not
}

func newCrowds[K comparable]() crowds[K] { return crowds[K]{by: map[K]*crowd{}} }

// add appends n, which is newer than all that were added.
func (c *crowds[K]) add(k K, n trace.Node) {
	of := c.by[k]
	if of == nil {
		of = &crowd{}
		c.by[k] = of
	}
	before := cap(of.nodes)
	of.nodes = append(of.nodes, n)
	of.count++
	c.nodes += cap(of.nodes) - before
}

// of returns one list. Some of it may have been evicted.
func (c *crowds[K]) of(k K) []trace.Node {
	if of := c.by[k]; of != nil {
		return of.nodes
	}
	return nil
}

// remove takes out a node that is about to be evicted, if it is there.
func (c *crowds[K]) remove(v trace.View, k K, n trace.Node) {
	of := c.by[k]
	if of == nil {
		return
	}
	if _, there := slices.BinarySearch(of.nodes, n); !there {
		return
	}
	switch of.count--; {
	case of.count == 0:
		c.forget(k)
	case len(of.nodes) > 2*of.count+8:
		c.nodes -= cap(of.nodes)
		of.nodes = slices.Clip(slices.DeleteFunc(slices.Clone(of.nodes), func(m trace.Node) bool { return m == n || v.Evicted(m) }))
		c.nodes += cap(of.nodes)
	}
}

// forget takes out a whole list.
func (c *crowds[K]) forget(k K) {
	if of := c.by[k]; of != nil {
		c.nodes -= cap(of.nodes)
		delete(c.by, k)
	}
}

// bytes is what the lists take of memory.
func (c *crowds[K]) bytes() int64 { return int64(len(c.by))*crowdBytes + int64(c.nodes)*nodeBytes }
