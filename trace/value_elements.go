package trace

import (
	"encoding/binary"
	"unsafe"
)

// The elements of a list or map are encoded one behind the other: kind and content.
// Equal values have equal encodings. A list or map within another is encoded as
//
//	kind, depth, number of elements (4 bytes), length of the elements (4 bytes), elements
//
// so that its head can be filled in when its end is known.
const headSize = 1 + 4 + 4

// ListValue returns a Value that holds the elements in their order.
func ListValue(elems ...Value) Value {
	var w ValueWriter
	w.Open(List)
	for _, e := range elems {
		w.Add(e)
	}
	return w.Close()
}

// MapValue returns a Value that holds the attributes in their order.
func MapValue(attrs ...Attr) Value {
	var w ValueWriter
	w.Open(Map)
	for _, a := range attrs {
		w.Key(a.Key)
		w.Add(a.Value)
	}
	return w.Close()
}

// ValueWriter writes lists and maps element by element, from the outside in, so
// that their cost does not depend on how deep they nest. The zero ValueWriter is
// ready for use.
type ValueWriter struct {
	b    []byte
	open []openValue // what is being written, the outermost first
}

type openValue struct {
	kind  ValueKind
	at    int // where its elements start
	count uint32
	depth uint8 // 1 more than the deepest list or map in it
}

// Open begins a List or Map: the outermost one, or an element of the one that is
// open. The caller nests them no deeper than [MaxValueDepth].
func (w *ValueWriter) Open(kind ValueKind) {
	if len(w.open) > 0 {
		w.b = append(w.b, byte(kind))
		w.b = append(w.b, make([]byte, headSize)...)
	}
	w.open = append(w.open, openValue{kind: kind, at: len(w.b), depth: 1})
}

// Key begins an element of the Map that is open; Add or Open says its value.
func (w *ValueWriter) Key(key string) { w.b = appendString(w.b, key) }

// Add appends an element to what is open. An element that nests too deep for it
// becomes an Empty value.
func (w *ValueWriter) Add(v Value) {
	if len(w.open)+v.depth() > MaxValueDepth {
		v = EmptyValue()
	}
	w.b = appendValue(w.b, v)
	w.count(v.depth())
}

// count books an element of what is open.
func (w *ValueWriter) count(depth int) {
	top := &w.open[len(w.open)-1]
	top.count++
	top.depth = max(top.depth, uint8(depth)+1)
}

// Close ends what was opened last and returns it. The Value shares the writer's
// memory: it is good until Reset.
func (w *ValueWriter) Close() Value {
	top := w.open[len(w.open)-1]
	w.open = w.open[:len(w.open)-1]
	v := Value{kind: top.kind, bits: uint64(top.count) | uint64(top.depth)<<32}
	if elements := w.b[top.at:]; len(elements) > 0 {
		v.text = unsafe.String(&elements[0], len(elements))
	}
	if len(w.open) > 0 {
		appendHead(w.b[:top.at-headSize], v)
		w.count(v.depth())
	}
	return v
}

// Discard forgets what was opened last, as if it had not been.
func (w *ValueWriter) Discard() {
	top := w.open[len(w.open)-1]
	w.open = w.open[:len(w.open)-1]
	w.b = w.b[:top.at]
	if len(w.open) > 0 {
		w.b = w.b[:top.at-headSize-1]
	}
}

// Reset gives the memory of the closed values back to the writer.
func (w *ValueWriter) Reset() { w.b, w.open = w.b[:0], w.open[:0] }

// depth is 0 for scalars and 1 more than the deepest element for lists and maps.
func (v Value) depth() int {
	if v.kind != List && v.kind != Map {
		return 0
	}
	return int(v.bits >> 32)
}

func appendValue(b []byte, v Value) []byte {
	b = append(b, byte(v.kind))
	switch v.kind {
	case String, Bytes:
		return appendString(b, v.text)
	case Bool, Int, Double:
		return binary.AppendUvarint(b, v.bits)
	case List, Map:
		return append(appendHead(b, v), v.text...)
	}
	return b
}

// appendHead appends what stands before the elements of a list or map.
func appendHead(b []byte, v Value) []byte {
	b = append(b, byte(v.depth()))
	b = binary.LittleEndian.AppendUint32(b, uint32(v.bits))
	return binary.LittleEndian.AppendUint32(b, uint32(len(v.text)))
}

// cutHead is the inverse of appendHead; n is the length of the elements.
func cutHead(s string) (bits uint64, n int, rest string) {
	bits = uint64(fixed32(s[1:])) | uint64(s[0])<<32
	return bits, int(fixed32(s[5:])), s[headSize:]
}

func fixed32(s string) uint32 {
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

func fixed64(s string) uint64 { return uint64(fixed32(s)) | uint64(fixed32(s[4:]))<<32 }

func cutValue(s string) (Value, string) {
	v := Value{kind: ValueKind(s[0])}
	s = s[1:]
	switch v.kind {
	case String, Bytes:
		v.text, s = cutString(s)
	case Bool, Int, Double:
		v.bits, s = cutUvarint(s)
	case List, Map:
		var n int
		v.bits, n, s = cutHead(s)
		v.text, s = s[:n], s[n:]
	}
	return v, s
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func cutString(s string) (string, string) {
	n, s := cutUvarint(s)
	return s[:n], s[n:]
}

func cutUvarint(s string) (uint64, string) {
	var x uint64
	for i := 0; ; i++ {
		x |= uint64(s[i]&0x7f) << (7 * i)
		if s[i] < 0x80 {
			return x, s[i+1:]
		}
	}
}
