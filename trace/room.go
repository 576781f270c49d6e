package trace

import (
	"encoding/binary"
	"unsafe"
)

// column names one column of a block, or several that are filled together.
type column uint8

const (
	rowColumn column = iota
	cellColumn
	textColumn
	shapeColumn
	keyColumn
	resourceColumn
	scopeColumn
	extraColumn
	eventColumn
	linkColumn
	columnCount
)

// marks are lengths of a block's columns.
type marks [columnCount]int

// elementSize is what one element of each column takes, in bytes.
var elementSize = marks{
	rowColumn:      int(unsafe.Sizeof(row{})),
	cellColumn:     int(unsafe.Sizeof(uint32(0))),
	textColumn:     1, // byte
	shapeColumn:    int(unsafe.Sizeof(shape{})),
	keyColumn:      int(unsafe.Sizeof(ref(0)) + unsafe.Sizeof(ValueKind(0))),
	resourceColumn: int(unsafe.Sizeof(resourceRow{})),
	scopeColumn:    int(unsafe.Sizeof(scopeRow{})),
	extraColumn:    int(unsafe.Sizeof(extraRow{})),
	eventColumn:    int(unsafe.Sizeof(eventRow{})),
	linkColumn:     int(unsafe.Sizeof(linkRow{})),
}

// Rows of a builder's first block, and of the largest to which blocks grow; and
// the bytes that a block takes at most, unless a single span needs more.
const (
	firstBlock = 128
	largeBlock = 8192
	mostBytes  = 4 << 20
)

// ordinary is how much spans take of each column as long as none were seen.
var ordinary = marks{
	rowColumn: 128, cellColumn: 12 * 128, textColumn: 128 * 128, shapeColumn: 32, keyColumn: 256,
	resourceColumn: 16, scopeColumn: 16, extraColumn: 32, eventColumn: 32, linkColumn: 32,
}

// atLeast is what a block of 128 rows has of each column, however seldom it was
// used before: a block is full when one of its columns is.
var atLeast = marks{
	cellColumn: 128, textColumn: 512, shapeColumn: 4, keyColumn: 32,
	resourceColumn: 2, scopeColumn: 2, extraColumn: 4, eventColumn: 4, linkColumn: 2,
}

// nothing is what an empty block holds: the empty string.
var nothing = marks{textColumn: 1}

// lengthSize is the most that the length of a text takes.
const lengthSize = binary.MaxVarintLen32

func (m marks) bytes() (n int) {
	for c := range m {
		n += m[c] * elementSize[c]
	}
	return n
}

func (m marks) plus(n marks) marks {
	for c := range m {
		m[c] += n[c]
	}
	return m
}

// fit reports whether a block of size m has room for n behind used.
func (m *marks) fit(used, n *marks) bool {
	for c := range m {
		if used[c]+n[c] > m[c] {
			return false
		}
	}
	return true
}

// plan is the size of a block of so many rows that are filled like those of m, or
// of fewer rows if it would be too large.
func (m marks) plan(rows int) marks {
	p := m.scale(rows)
	if b := p.bytes(); b > mostBytes {
		p = m.scale(max(1, rows*mostBytes/b))
	}
	return p
}

// scale leaves a little room for spans that differ from those of m.
func (m marks) scale(rows int) (p marks) {
	for c := range m {
		p[c] = max(m[c]*rows*17/16/m[rowColumn], atLeast[c]*rows/128) + 1
	}
	p[rowColumn] = rows
	return p
}

func newBlock(size marks) *Block {
	return &Block{
		rows:      make([]row, size[rowColumn]),
		cells:     make([]uint32, size[cellColumn]),
		text:      make([]byte, size[textColumn]),
		shapes:    make([]shape, size[shapeColumn]),
		keys:      make([]ref, size[keyColumn]),
		kinds:     make([]ValueKind, size[keyColumn]),
		resources: make([]resourceRow, size[resourceColumn]),
		scopes:    make([]scopeRow, size[scopeColumn]),
		extras:    make([]extraRow, size[extraColumn]),
		events:    make([]eventRow, size[eventColumn]),
		links:     make([]linkRow, size[linkColumn]),
	}
}

// capacity is the size that newBlock was given.
func (b *Block) capacity() marks {
	return marks{
		rowColumn: len(b.rows), cellColumn: len(b.cells), textColumn: len(b.text), shapeColumn: len(b.shapes), keyColumn: len(b.keys),
		resourceColumn: len(b.resources), scopeColumn: len(b.scopes), extraColumn: len(b.extras), eventColumn: len(b.events), linkColumn: len(b.links),
	}
}
