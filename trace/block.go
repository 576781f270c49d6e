package trace

import (
	"encoding/binary"
	"sync/atomic"
	"unsafe"
)

// Block holds the decoded spans of many requests in columns without pointers, so
// that the garbage collector has nothing to walk. It is filled by one [Builder];
// committed rows never change and may be read from any goroutine meanwhile.
//
// Every column is made once at its full size: appending never moves what a
// reader may be looking at.
type Block struct {
	rows      []row
	cells     []uint32 // the values of attributes, in the order of their shape
	text      []byte   // all strings, interned
	shapes    []shape
	keys      []ref       // the keys of all shapes
	kinds     []ValueKind // beside keys; how the cells are to be read
	resources []resourceRow
	scopes    []scopeRow
	extras    []extraRow
	events    []eventRow
	links     []linkRow
	used      marks         // what it holds, once its builder has left it
	full      atomic.Uint32 // how many rows that are; 0 before
}

// trimmed is a copy without room for more of a block that its builder has left.
func (b *Block) trimmed() *Block {
	t := newBlock(b.used)
	copy(t.rows, b.rows)
	copy(t.cells, b.cells)
	copy(t.text, b.text)
	copy(t.shapes, b.shapes)
	copy(t.keys, b.keys)
	copy(t.kinds, b.kinds)
	copy(t.resources, b.resources)
	copy(t.scopes, b.scopes)
	copy(t.extras, b.extras)
	copy(t.events, b.events)
	copy(t.links, b.links)
	t.used = b.used
	t.full.Store(b.full.Load())
	return t
}

// ref is where a string stands in the block's text, behind its length as a varint.
// 0 is the empty string.
type ref uint32

// farInt is the kind of a cell that refers to an Int which does not fit into it.
const farInt = Map + 1

// shape is a list of attribute keys and kinds that many spans share.
type shape struct{ off, n uint32 }

// attrRow is one list of attributes: its shape and where its cells start.
type attrRow struct{ shape, cells uint32 }

// row is one span. What few spans have lies in an extraRow.
type row struct {
	trace           TraceID
	id, parent      SpanID
	start, end      Time
	name            ref
	attrs           attrRow
	extra           uint32 // index + 1; 0 is none
	flags           uint16 // the lower half
	resource, scope uint16
	kind            Kind
	status          Status
}

type extraRow struct {
	message, state     ref // status message, trace state
	events, eventCount uint32
	links, linkCount   uint32
	droppedAttrs       uint32
	droppedEvents      uint32
	droppedLinks       uint32
	flags              uint16 // the upper half
}

type eventRow struct {
	time    Time
	name    ref
	attrs   attrRow
	dropped uint32
}

type linkRow struct {
	trace   TraceID
	id      SpanID
	state   ref
	attrs   attrRow
	flags   uint32
	dropped uint32
}

type resourceRow struct {
	attrs                  attrRow
	schema                 ref
	service, process, host ref
	resolution             int64
	dropped                uint32
}

type scopeRow struct {
	attrs         attrRow
	schema        ref
	name, version ref
	dropped       uint32
}

// str returns the string at r without copying; it pins the block.
func (b *Block) str(r ref) string {
	n, at := int(b.text[r]), int(r)+1
	if n >= 0x80 {
		long, size := binary.Uvarint(b.text[r:])
		n, at = int(long), int(r)+size
	}
	if n == 0 {
		return ""
	}
	return unsafe.String(&b.text[at], n)
}

func (b *Block) value(kind ValueKind, cell uint32) Value {
	switch kind {
	case String, Bytes:
		return Value{kind: kind, text: b.str(ref(cell))}
	case Bool:
		return Value{kind: kind, bits: uint64(cell)}
	case Int:
		return IntValue(int64(int32(cell)))
	case farInt:
		return Value{kind: Int, bits: fixed64(b.str(ref(cell)))}
	case Double:
		return Value{kind: kind, bits: fixed64(b.str(ref(cell)))}
	case List, Map:
		bits, _, elements := cutHead(b.str(ref(cell)))
		return Value{kind: kind, bits: bits, text: elements}
	}
	return Value{kind: kind}
}

// find returns the first value with this key.
func (b *Block) find(a attrRow, key string) (Value, bool) {
	s := b.shapes[a.shape]
	for i, k := range b.keys[s.off : s.off+s.n] {
		if b.str(k) == key {
			return b.value(b.kinds[int(s.off)+i], b.cells[int(a.cells)+i]), true
		}
	}
	return Value{}, false
}

func (b *Block) each(a attrRow, yield func(string, Value) bool) {
	s := b.shapes[a.shape]
	for i, k := range b.keys[s.off : s.off+s.n] {
		if !yield(b.str(k), b.value(b.kinds[int(s.off)+i], b.cells[int(a.cells)+i])) {
			return
		}
	}
}

// Size is what the block takes of memory, in bytes, whether filled or not.
func (b *Block) Size() int64 { return int64(b.capacity().bytes()) }
