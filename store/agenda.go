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
	heap.Fix(a, in.place)
}

func (a *agenda) remove(in *instance) {
	if in.place != notScheduled {
		heap.Remove(a, in.place)
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
	a[i].place, a[j].place = i, j
}

func (a *agenda) Push(x any) {
	in := x.(*instance)
	in.place = len(*a)
	*a = append(*a, in)
}

func (a *agenda) Pop() any {
	last := len(*a) - 1
	in := (*a)[last]
	(*a)[last] = nil
	*a, in.place = (*a)[:last], notScheduled
	return in
}

// queue hands out instances in the order in which they were marked.
type queue struct {
	waiting []*instance
	head    int
}

// push appends an instance that is not marked yet.
func (q *queue) push(in *instance) {
	if q.head > len(q.waiting)/2 {
		n := copy(q.waiting, q.waiting[q.head:])
		clear(q.waiting[n:])
		q.waiting, q.head = q.waiting[:n], 0
	}
	q.waiting = append(q.waiting, in)
}

// len counts the marks, also those of instances that are not dirty any more.
func (q *queue) len() int { return len(q.waiting) - q.head }

// pop takes the first instance that is still marked as dirty, nil if there is none.
func (q *queue) pop() *instance {
	for q.head < len(q.waiting) {
		in := q.waiting[q.head]
		q.waiting[q.head] = nil
		q.head++
		if in.dirty {
			in.dirty = false
			return in
		}
	}
	return nil
}
