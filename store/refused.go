package store

import "github.com/followspan/followspan/trace"

// refused are the spans that were turned away for lack of memory and have not come
// again since.
type refused struct {
	spans  map[spanID]struct{}
	traces map[trace.TraceID]int // how many of each
}

func newRefused() refused {
	return refused{map[spanID]struct{}{}, map[trace.TraceID]int{}}
}

// add remembers the spans of a batch, of all what takes at most so many bytes, and
// returns how many it could not remember.
func (r *refused) add(b trace.Batch, most int64) (more int) {
	for _, span := range b.Spans {
		id := idOf(span)
		if _, known := r.spans[id]; known {
			continue
		}
		if r.bytes() >= most {
			more++
			continue
		}
		r.spans[id] = struct{}{}
		r.traces[id.trace]++
	}
	return more
}

// bytes is what they take of memory.
func (r *refused) bytes() int64 { return int64(len(r.spans)+len(r.traces)) * refusedBytes }

// came forgets a span that was taken after all.
func (r *refused) came(id spanID) {
	if len(r.spans) == 0 {
		return
	}
	if _, known := r.spans[id]; !known {
		return
	}
	delete(r.spans, id)
	if r.traces[id.trace]--; r.traces[id.trace] == 0 {
		delete(r.traces, id.trace)
	}
}

// of counts those that may belong to an instance: the ones of its traces.
func (r *refused) of(in *instance) int {
	if in.of.Opens == trace.OpensBySession || len(r.spans) == 0 {
		return len(r.spans)
	}
	count := r.traces[in.w.Record().TraceID]
	for id := range in.others() {
		count += r.traces[id]
	}
	return count
}
