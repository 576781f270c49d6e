package store

import (
	"container/heap"

	"github.com/followspan/followspan/trace"
)

// watchers are the instances that wait for something of a process to reach a mark of
// their own, the one in front that waits for the least. An instance waits for one
// thing at a time, and is then looked at again.
type watchers []*instance

func (in *instance) watch(w *watchers, upto trace.Time) {
	if in.awaits == nil {
		in.awaits, in.upto = w, upto
		heap.Push(w, in)
	}
}

func (in *instance) unwatch() {
	if in.awaits != nil {
		heap.Remove(in.awaits, int(in.queued))
		in.awaits = nil
	}
}

// rouse makes those instances due whose mark is reached.
func (s *Store) rouse(w *watchers, reached trace.Time) {
	for len(*w) > 0 && (*w)[0].upto <= reached {
		in := (*w)[0]
		in.unwatch()
		s.agenda.schedule(in, 0)
	}
}

// dismiss ends the wait of all, since nothing will come of it.
func (w *watchers) dismiss() {
	for _, in := range *w {
		in.awaits = nil
	}
	*w = nil
}

// The methods of heap.Interface.

func (w watchers) Len() int           { return len(w) }
func (w watchers) Less(i, j int) bool { return w[i].upto < w[j].upto }

func (w watchers) Swap(i, j int) {
	w[i], w[j] = w[j], w[i]
	w[i].queued, w[j].queued = int32(i), int32(j)
}

func (w *watchers) Push(x any) {
	in := x.(*instance)
	in.queued = int32(len(*w))
	*w = append(*w, in)
}

func (w *watchers) Pop() any {
	last := len(*w) - 1
	in := (*w)[last]
	(*w)[last] = nil
	*w = (*w)[:last]
	return in
}
