package trace

import "sync/atomic"

const chunkSize = 1024

// chunked is a column that grows at its end without moving, and of which whole
// chunks can be released. One goroutine writes; others may read meanwhile.
type chunked[T any] struct {
	table atomic.Pointer[[]atomic.Pointer[chunk[T]]]
	n     int
	held  int // chunks that are not released
}

type chunk[T any] struct {
	rows [chunkSize]T
	live int // rows that were not dropped; the writer's
}

// add appends a row and returns it with its number.
func (c *chunked[T]) add() (*T, int) {
	if c.n%chunkSize == 0 {
		c.grow()
	}
	k := (*c.table.Load())[c.n/chunkSize].Load()
	k.live++
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
	slot := &(*c.table.Load())[i/chunkSize]
	k := slot.Load()
	k.live--
	if k.live == 0 && c.n >= (i/chunkSize+1)*chunkSize {
		slot.Store(nil)
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
