package store

import (
	"testing"

	"github.com/followspan/followspan/trace"
)

// A burst without an end takes no more memory, and no more time for a request, than
// one that fills a queue.
func TestQueueOfAnEndlessBurst(t *testing.T) {
	var q queue
	for i := range 100_000 {
		if over := q.sent(512, 1, trace.Time(2+i)); over != (i >= 3) {
			t.Fatalf("after %d batches of 512 the queue may have been full: %v", i+1, over)
		}
		if len(q.drains) > 4 {
			t.Fatalf("%d batches are remembered", len(q.drains))
		}
	}
	if over := q.sent(512, 200_000, 200_000); over || len(q.drains) != 1 {
		t.Errorf("what ended since was queued with %d batches, full: %v", len(q.drains)-1, over)
	}
}
