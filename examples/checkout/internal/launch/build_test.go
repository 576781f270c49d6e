package launch

import (
	"testing"
	"time"
)

func TestEveryRepeatsUntilStopped(t *testing.T) {
	calls := make(chan struct{}, 1000)
	stop := every(time.Millisecond, func() { calls <- struct{}{} })
	<-calls
	<-calls
	stop()
	close(calls) // a call after stop would panic
}
