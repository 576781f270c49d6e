package trace

import (
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

// hashedRef is where a text stands, with eight bits of its hash in the place of the
// highest of its length: looking at another text to see that it is not the same
// costs more than everything else.
type hashedRef ref

const (
	hashBits = 0xff << 24
	maxKnown = 1 << 24 // length of a text
)

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
	off, n := uint64(r>>32), uint64(uint32(r))
	return n == uint64(len(s)) && off+n <= uint64(w.used[textColumn]) && string(w.b.text[off:off+n]) == s
}

// intern returns where s stands in the block.
func (w *Builder) intern(s string) ref {
	if s == "" {
		return 0
	}
	h := maphash.String(w.known.seed, s)
	slot := &w.known.texts[h&uint64(len(w.known.texts)-1)]
	bits := hashedRef(h>>32) & hashBits
	if r := ref(*slot &^ hashBits); *slot&hashBits == bits && w.holds(r, s) {
		return r
	}
	r := ref(w.used[textColumn])<<32 | ref(len(s))
	w.used[textColumn] += copy(w.b.text[w.used[textColumn]:], s)
	if len(s) < maxKnown {
		*slot = hashedRef(r) | bits
	}
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
		node = w.child(node, a.Key, a.Value.kind)
		w.b.cells[off+i] = w.cell(node, &a.Value)
	}
	return attrRow{shape: w.shape(node), cells: uint32(off)}
}

// cell writes a value; many values are what they were the last time.
func (w *Builder) cell(node uint32, v *Value) uint64 {
	switch v.kind {
	case String, Bytes:
		last := &w.known.nodes[node].last
		if !w.holds(*last, v.text) {
			*last = w.intern(v.text)
		}
		return uint64(*last)
	case List, Map:
		w.scratch = append(appendHead(w.scratch[:0], *v), v.text...)
		return uint64(w.intern(unsafe.String(&w.scratch[0], len(w.scratch))))
	}
	return v.bits
}
