package trace

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"unsafe"
)

// interner writes texts and lists of keys into the builder's block, each once if
// it can. It remembers what was written lately in tables that forget by being
// overwritten, and that may be out of date: whatever they say is compared with the
// block before it is believed. So it needs no undoing when spans are rolled back.
type interner struct {
	seed     maphash.Seed
	texts    []hashedRef
	nodes    []shapeNode // 0 is the empty list
	children []uint32    // nodes, by parent, key and kind
}

// shapeNode is a list of keys and kinds: that of its parent and one more.
type shapeNode struct {
	key    ref
	last   ref // text that the last value of the key was
	parent uint32
	next   uint32 // the child that was taken last
	shape  uint32 // number + 1; 0 if no list ended here yet
	length uint32
	kind   ValueKind
}

// maxNodes is how many lists are remembered.
const maxNodes = 1 << 16

// hashedRef is where a text stands, and half of its hash above it: to look at
// another text and see that it is not the same costs more than everything else.
type hashedRef uint64

// reset forgets everything, for a block of so many rows.
func (t *interner) reset(rows int) {
	if t.texts == nil {
		t.seed = maphash.MakeSeed()
	}
	if slots := 1 << bits.Len(uint(2*rows-1)); slots != len(t.texts) {
		t.texts, t.children = make([]hashedRef, slots), make([]uint32, slots/4)
	}
	t.forgetShapes()
}

func (t *interner) forgetShapes() { t.nodes = append(t.nodes[:0], shapeNode{}) }

// holds reports whether the block has s at r.
func (w *Builder) holds(r ref, s string) bool {
	used := w.b.text[:w.used[textColumn]]
	if int(r) >= len(used) {
		return false
	}
	n, at := uint64(used[r]), int(r)+1
	if n >= 0x80 {
		long, size := binary.Uvarint(used[r:])
		if size <= 0 {
			return false
		}
		n, at = long, int(r)+size
	}
	return n == uint64(len(s)) && n <= uint64(len(used)-at) && string(used[at:at+int(n)]) == s
}

// intern returns where s stands in the block.
func (w *Builder) intern(s string) ref {
	if s == "" {
		return 0
	}
	h := maphash.String(w.known.seed, s)
	slot := &w.known.texts[h&uint64(len(w.known.texts)-1)]
	if r := ref(*slot >> 32); uint32(*slot) == uint32(h>>32) && w.holds(r, s) {
		return r
	}
	r := ref(w.used[textColumn])
	*slot = hashedRef(r)<<32 | hashedRef(h>>32)
	at := int(r) + binary.PutUvarint(w.b.text[r:], uint64(len(s)))
	w.used[textColumn] = at + copy(w.b.text[at:], s)
	return r
}

// child returns the node of the list at parent with one more key.
func (w *Builder) child(parent uint32, key string, kind ValueKind) uint32 {
	t := &w.known
	if n := t.nodes[parent].next; n != 0 && w.isChild(n, parent, key, kind) {
		return n
	}
	h := maphash.String(t.seed, key) + uint64(parent)*0x9e3779b97f4a7c15 + uint64(kind)<<7
	slot := &t.children[(h^h>>32)&uint64(len(t.children)-1)]
	if !w.isChild(*slot, parent, key, kind) {
		*slot = uint32(len(t.nodes))
		t.nodes = append(t.nodes, shapeNode{parent: parent, key: w.intern(key), kind: kind, length: t.nodes[parent].length + 1})
	}
	t.nodes[parent].next = *slot
	return *slot
}

func (w *Builder) isChild(n, parent uint32, key string, kind ValueKind) bool {
	if int(n) >= len(w.known.nodes) {
		return false
	}
	c := &w.known.nodes[n]
	return c.parent == parent && c.kind == kind && n != 0 && w.holds(c.key, key)
}

// shape returns the number of the list at a node, which it writes once.
func (w *Builder) shape(node uint32) uint32 {
	n := &w.known.nodes[node]
	if n.shape != 0 {
		return n.shape - 1
	}
	off := w.used[keyColumn]
	w.used[keyColumn] += int(n.length)
	w.b.shapes[w.used[shapeColumn]] = shape{off: uint32(off), n: n.length}
	w.used[shapeColumn]++
	n.shape = uint32(w.used[shapeColumn])
	for at := off + int(n.length) - 1; at >= off; at-- {
		c := &w.known.nodes[node]
		w.b.keys[at], w.b.kinds[at] = c.key, c.kind
		node = c.parent
	}
	return n.shape - 1
}

// attrs writes a list of attributes.
func (w *Builder) attrs(attrs []Attr) attrRow {
	if len(w.known.nodes)+len(attrs) > maxNodes {
		w.known.forgetShapes()
	}
	off, node := w.used[cellColumn], uint32(0)
	w.used[cellColumn] += len(attrs)
	for i := range attrs {
		a := &attrs[i]
		node = w.child(node, a.Key, cellKind(&a.Value))
		w.b.cells[off+i] = w.cell(node, &a.Value)
	}
	return attrRow{shape: w.shape(node), cells: uint32(off)}
}

// cellKind is how a value is kept in a cell.
func cellKind(v *Value) ValueKind {
	if v.kind == Int && int64(v.bits) != int64(int32(v.bits)) {
		return farInt
	}
	return v.kind
}

// cell writes a value; many texts are what they were the last time.
func (w *Builder) cell(node uint32, v *Value) uint32 {
	n := &w.known.nodes[node]
	switch n.kind {
	case String, Bytes:
		if !w.holds(n.last, v.text) {
			n.last = w.intern(v.text)
		}
		return uint32(n.last)
	case Double, farInt:
		w.scratch = binary.LittleEndian.AppendUint64(w.scratch[:0], v.bits)
	case List, Map:
		w.scratch = append(appendHead(w.scratch[:0], *v), v.text...)
	default:
		return uint32(v.bits)
	}
	return uint32(w.intern(unsafe.String(&w.scratch[0], len(w.scratch))))
}
