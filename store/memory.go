package store

import (
	"unsafe"

	"github.com/followspan/followspan/trace"
)

// What the entries of maps and lists take of memory, in bytes, with what they point
// to: measured, see TestBytesAreThoseOfTheHeap. Go's maps are between seven eighths
// and seven sixteenths full.
const (
	instanceBytes = int64(unsafe.Sizeof(instance{})) + 260
	evictedBytes  = int64(unsafe.Sizeof(instance{})) + 200
	tombBytes     = int64(unsafe.Sizeof(tomb{}))
	traceBytes    = int64(unsafe.Sizeof(traceEntry{})) + 110
	processBytes  = int64(unsafe.Sizeof(process{})) + 300
	refusedBytes  = 48
	peerBytes     = 60
	topicBytes    = 170
	requestBytes  = 280
	senderBytes   = 100 // of a connection
	droppedBytes  = 300
	hopBytes      = 50
	otherBytes    = 250 // a map of its own for few
	nodeBytes     = int64(unsafe.Sizeof(trace.None))
	holderBytes   = 220
	crowdBytes    = 90
	targetsBytes  = unsampledTraceBytes // both are sets of a trace's spans
	targetBytes   = unsampledBytes
	edgeBytes     = int64(unsafe.Sizeof(trace.OpenEdge{}))
	strayBytes    = int64(unsafe.Sizeof(stray{}))
	askedBytes    = 24
	bygoneBytes   = 60
	closingBytes  = int64(unsafe.Sizeof(closing{}))
)

// bytes is what the store takes of memory.
func (s *Store) bytes() int64 {
	return s.graph.Bytes() + s.index.bytes() + s.peers.bytes() + s.booked + int64(len(s.connections))*senderBytes +
		int64(len(s.instances))*instanceBytes + int64(s.evicted)*evictedBytes + int64(s.gone.len())*tombBytes + int64(len(s.traces))*traceBytes + int64(len(s.processes))*processBytes +
		int64(cap(s.closings))*closingBytes + s.refused.bytes() + s.bygone.bytes() + int64(len(s.differing))*refusedBytes + int64(len(s.keys))*holderBytes
}

const (
	// headroom is kept for what grows by the chunk.
	headroom = 192 << 10
	// refusedShare is the part of all memory in which refused spans are remembered.
	refusedShare = 64
)

// demand is what a batch takes of memory.
type demand struct {
	entries int64
	blocks  []*trace.Block
}

func demandOf(b trace.Batch) demand {
	const entries = 160 // a span's record, its place in the index, one membership
	d := demand{entries: int64(len(b.Spans)) * entries}
	for _, span := range b.Spans {
		if block := span.Block(); len(d.blocks) == 0 || d.blocks[len(d.blocks)-1] != block {
			d.blocks = append(d.blocks, block)
		}
	}
	return d
}

// missing is how many bytes a batch needs beyond what there is; 0 or less if it fits.
func (s *Store) missing(d demand) int64 {
	more := d.entries + headroom + s.settings.Bytes/refusedShare - s.refused.bytes()
	for _, b := range d.blocks {
		if !s.graph.Holds(b) { // That it did before something was evicted counts for nothing.
			more += b.Size()
		}
	}
	return s.bytes() + more - s.settings.Bytes
}

func (d demand) bytes() int64 {
	n := d.entries
	for _, b := range d.blocks {
		n += b.Size()
	}
	return n
}

// fits makes room for a batch, if need be without the oldest spans of a flow that
// takes all.
func (s *Store) fits(d demand) bool {
	if s.missing(d) <= 0 {
		return true
	}
	if s.makeRoom(d) {
		return true
	}
	if s.settings.Recorded { // The caller decides; see CloseOldest.
		return false
	}
	for in := s.largest(); in != nil; in = s.largest() {
		s.cut(in)
		if s.makeRoom(d) {
			return true
		}
	}
	return false
}

// admit makes room for a batch. Where there is none the spans are remembered until
// a later attempt brings them.
func (s *Store) admit(b trace.Batch) error {
	if len(b.Spans) == 0 || s.replayed && !s.full {
		return nil
	}
	d := demandOf(b)
	tooLarge := d.bytes() > s.settings.Bytes // Nothing that made room for it would help.
	if !s.full && !tooLarge && s.fits(d) {
		return nil
	}
	if more := s.refused.add(b, s.settings.Bytes/refusedShare); more > 0 {
		s.refusedMore += more
		s.addLoss(lostData{what: refusedForMemory, count: more, from: b.Received, to: b.Received})
	}
	if tooLarge {
		return ErrTooLarge
	}
	return ErrFull
}
