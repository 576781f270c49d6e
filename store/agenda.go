package store

import (
	"container/heap"

	"github.com/followspan/followspan/trace"
)

// agenda holds the instances on which time may act, that which is due first in
// front. Nothing but the passing of time, or a change of the instance itself, makes
// it due: so what 100,000 flows wait for costs nothing while it is not there.
type agenda []*instance

// notScheduled is the place of an instance that is not on the agenda.
const notScheduled = -1

// schedule puts the instance on the agenda, or moves it there.
func (a *agenda) schedule(in *instance, due trace.Time) {
	in.due = due
	if in.place == notScheduled {
		heap.Push(a, in)
		return
	}
	heap.Fix(a, int(in.place))
}

func (a *agenda) remove(in *instance) {
	if in.place != notScheduled {
		heap.Remove(a, int(in.place))
	}
}

// next is the instance that is due first, nil if there is none.
func (a agenda) next() *instance {
	if len(a) == 0 {
		return nil
	}
	return a[0]
}

// The methods of heap.Interface.

func (a agenda) Len() int           { return len(a) }
func (a agenda) Less(i, j int) bool { return a[i].due < a[j].due }

func (a agenda) Swap(i, j int) {
	a[i], a[j] = a[j], a[i]
	a[i].place, a[j].place = int32(i), int32(j)
}

func (a *agenda) Push(x any) {
	in := x.(*instance)
	in.place = int32(len(*a))
	*a = append(*a, in)
}

func (a *agenda) Pop() any {
	last := len(*a) - 1
	in := (*a)[last]
	(*a)[last] = nil
	*a, in.place = (*a)[:last], notScheduled
	return in
}
