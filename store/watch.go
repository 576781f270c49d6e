package store

import "container/heap"

// watch has the instance looked at again once the watermark of p covers it.
func (p *process) watch(in *instance) {
	if p.doubt == "" && in.awaits == nil {
		in.awaits, in.upto = p, in.ends.Add(watermarkMargin)
		heap.Push(&p.waiting, in)
	}
}

// unwatch ends the wait of an instance for a watermark.
func (in *instance) unwatch() {
	if in.awaits != nil {
		heap.Remove(&in.awaits.waiting, in.queued)
		in.awaits = nil
	}
}

// wakeCovered makes those instances due that waited for the watermark of p.
func (s *Store) wakeCovered(p *process) {
	for len(p.waiting) > 0 && p.waiting[0].upto <= p.upto {
		in := p.waiting[0]
		in.unwatch()
		s.agenda.schedule(in, 0)
	}
}

// watchers are the instances that wait for the watermark of a process, the one in
// front that waits for the least.
type watchers []*instance

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
	w[i].queued, w[j].queued = i, j
}

func (w *watchers) Push(x any) {
	in := x.(*instance)
	in.queued = len(*w)
	*w = append(*w, in)
}

func (w *watchers) Pop() any {
	last := len(*w) - 1
	in := (*w)[last]
	(*w)[last] = nil
	*w = (*w)[:last]
	return in
}
