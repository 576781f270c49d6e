package trace_test

import (
	"math"
	"testing"
	"time"

	"github.com/followspan/followspan/trace"
)

func TestLag(t *testing.T) {
	const now = trace.Time(1_700_000_000_000_000_000)
	for _, c := range []struct {
		why   string
		ended []trace.Time
		want  trace.Lag
	}{
		{"nothing was seen", nil, trace.Lag{}},
		{"the longest counts", []trace.Time{now.Add(-time.Second), now.Add(-5 * time.Second), now}, trace.Lag{Most: 5 * time.Second}},
		{"clocks differ by a little", []trace.Time{now.Add(time.Millisecond)}, trace.Lag{}},
		{"a clock is ahead", []trace.Time{now.Add(-time.Second), now.Add(2 * time.Millisecond)}, trace.Lag{Most: time.Second, Unknown: true}},
		{"a clock is behind, or the span is old", []trace.Time{now.Add(-time.Hour), now.Add(-time.Second)}, trace.Lag{Most: time.Second, Unknown: true}},
		{"no time at all", []trace.Time{0}, trace.Lag{Unknown: true}},
		{"the end of times", []trace.Time{math.MaxUint64}, trace.Lag{Unknown: true}},
	} {
		var got trace.Lag
		for _, end := range c.ended {
			got.Observe(end, now)
		}
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", c.why, got, c.want)
		}
	}
}
