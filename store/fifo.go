package store

// fifo is a queue: what was pushed first is popped first.
type fifo[T any] struct {
	waiting []T
	head    int
}

func (q *fifo[T]) len() int { return len(q.waiting) - q.head }

func (q *fifo[T]) push(x T) {
	if q.head > len(q.waiting)/2 {
		n := copy(q.waiting, q.waiting[q.head:])
		clear(q.waiting[n:])
		q.waiting, q.head = q.waiting[:n], 0
	}
	q.waiting = append(q.waiting, x)
}

// first is what pop would return, false if there is nothing.
func (q *fifo[T]) first() (x T, ok bool) {
	if q.len() == 0 {
		return x, false
	}
	return q.waiting[q.head], true
}

func (q *fifo[T]) pop() (x T, ok bool) {
	if x, ok = q.first(); ok {
		clear(q.waiting[q.head : q.head+1])
		q.head++
	}
	return x, ok
}
