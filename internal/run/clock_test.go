package run

import (
	"sync"
	"time"
)

// handClock is a Clock that moves by hand only.
type handClock struct {
	mu     sync.Mutex
	now    time.Time
	timers map[*handTimer]bool
	armed  chan time.Duration // of every timer that is set
}

type handTimer struct {
	at time.Time
	f  func()
}

func newHandClock() *handClock {
	return &handClock{
		now:    time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC),
		timers: map[*handTimer]bool{}, armed: make(chan time.Duration, 10_000),
	}
}

func (c *handClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *handClock) AfterFunc(d time.Duration, f func()) func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &handTimer{c.now.Add(d), f}
	c.timers[t] = true
	c.armed <- d
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.timers, t)
	}
}

// expect waits until a timer of d is set.
func (c *handClock) expect(d time.Duration) {
	for <-c.armed != d {
	}
}

// pass moves the clock.
func (c *handClock) pass(d time.Duration) {
	c.mu.Lock()
	c.now = c.now.Add(d)
	var due []func()
	for t := range c.timers {
		if !t.at.After(c.now) {
			delete(c.timers, t)
			due = append(due, t.f)
		}
	}
	c.mu.Unlock()
	for _, f := range due {
		f()
	}
}
