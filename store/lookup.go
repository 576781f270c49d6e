package store

import (
	"iter"
	"unsafe"

	"github.com/followspan/followspan/trace"
)

// lookup finds nodes by a hash of what names them, such as their span id. It holds
// the nodes alone and no keys: these stand in the spans, so the caller compares.
// Several nodes may have the same hash.
//
// It is parted into many small tables with open addressing, so that none that
// grows makes a request wait.
type lookup struct {
	parts [lookupParts][]entry
	used  [lookupParts]int
	slots int // of all parts
}

const lookupParts = 256

// entry is a node, less often asked for than its hash; the zero entry is none.
type entry struct {
	hash uint32
	node trace.Node // + 1
}

// slot is the part in which a hash stands and where in it.
func (l *lookup) slot(hash uint64) (part int, at uint32) { return int(hash >> 56), uint32(hash) }

// find yields the nodes that were added with a hash. None may be added or removed
// meanwhile.
func (l *lookup) find(hash uint64) iter.Seq[trace.Node] {
	return func(yield func(trace.Node) bool) { l.each(hash, yield) }
}

func (l *lookup) each(hash uint64, yield func(trace.Node) bool) {
	part, h := l.slot(hash)
	t := l.parts[part]
	if len(t) == 0 {
		return
	}
	mask := uint32(len(t) - 1)
	for i := h & mask; t[i].node != 0; i = (i + 1) & mask {
		if t[i].hash == h && !yield(t[i].node-1) {
			return
		}
	}
}

func (l *lookup) add(hash uint64, n trace.Node) {
	part, h := l.slot(hash)
	if 4*(l.used[part]+1) > 3*len(l.parts[part]) {
		l.grow(part)
	}
	l.used[part]++
	insert(l.parts[part], entry{h, n + 1})
}

func (l *lookup) grow(part int) {
	old := l.parts[part]
	grown := make([]entry, max(8, 2*len(old)))
	for _, e := range old {
		if e.node != 0 {
			insert(grown, e)
		}
	}
	l.parts[part] = grown
	l.slots += len(grown) - len(old)
}

func insert(t []entry, e entry) {
	mask := uint32(len(t) - 1)
	i := e.hash & mask
	for t[i].node != 0 {
		i = (i + 1) & mask
	}
	t[i] = e
}

// remove takes out a node that was added with the hash, if it is there.
func (l *lookup) remove(hash uint64, n trace.Node) {
	part, h := l.slot(hash)
	t := l.parts[part]
	if len(t) == 0 {
		return
	}
	mask := uint32(len(t) - 1)
	i := h & mask
	for t[i].node != n+1 {
		if t[i].node == 0 {
			return
		}
		i = (i + 1) & mask
	}
	l.used[part]--
	// What stands behind moves up, unless it would come to stand before its place.
	for j := (i + 1) & mask; t[j].node != 0; j = (j + 1) & mask {
		if home := t[j].hash & mask; (j-home)&mask >= (j-i)&mask {
			t[i] = t[j]
			i = j
		}
	}
	t[i] = entry{}
}

// replace puts another node in the place of one that was added with the hash.
func (l *lookup) replace(hash uint64, old, n trace.Node) {
	l.remove(hash, old)
	l.add(hash, n)
}

// bytes is what the lookup takes of memory.
func (l *lookup) bytes() int64 {
	return int64(l.slots)*int64(unsafe.Sizeof(entry{})) + int64(unsafe.Sizeof(*l))
}
