package trace

import "sync/atomic"

const chunkSize = 1024

// chunked is a column that grows at its end without moving, and of which whole
// chunks can be released. One goroutine writes; others may read meanwhile.
type chunked[T any] struct {
	table atomic.Pointer[[]atomic.Pointer[chunk[T]]]
	n     int
	live  []int32 // rows of each chunk that were not dropped
	held  int     // chunks that are not released
}

// chunk holds nothing but its rows, which fill a whole number of the allocator's
// pages.
type chunk[T any] struct{ rows [chunkSize]T }

// add appends a row and returns it with its number.
func (c *chunked[T]) add() (*T, int) {
	if c.n%chunkSize == 0 {
		c.grow()
	}
	k := (*c.table.Load())[c.n/chunkSize].Load()
	c.live[c.n/chunkSize]++
	c.n++
	return &k.rows[(c.n-1)%chunkSize], c.n - 1
}

func (c *chunked[T]) grow() {
	var table []atomic.Pointer[chunk[T]]
	if t := c.table.Load(); t != nil {
		table = *t
	}
	i := c.n / chunkSize
	if i == len(table) {
		grown := make([]atomic.Pointer[chunk[T]], max(16, 2*len(table)))
		for j := range table {
			grown[j].Store(table[j].Load())
		}
		table = grown
		c.table.Store(&table)
	}
	table[i].Store(new(chunk[T]))
	c.live = append(c.live, 0)
	c.held++
}

// at returns a row that was added, or nil if its chunk has been released.
func (c *chunked[T]) at(i int) *T {
	k := (*c.table.Load())[uint(i)/chunkSize].Load()
	if k == nil {
		return nil
	}
	return &k.rows[uint(i)%chunkSize]
}

// drop says that a row is needed no more. A chunk of which no row is needed is
// released, unless it is still being filled.
func (c *chunked[T]) drop(i int) {
	k := i / chunkSize
	c.live[k]--
	if c.live[k] == 0 && c.n >= (k+1)*chunkSize {
		(*c.table.Load())[k].Store(nil)
		c.held--
	}
}

// bytes is what the column takes of memory.
func (c *chunked[T]) bytes() int64 {
	table := 0
	if t := c.table.Load(); t != nil {
		table = len(*t)
	}
	return int64(c.held)*sizeOf[chunk[T]]() + int64(table)*sizeOf[uintptr]()
}
