package conformance_test

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/followspan/followspan/receiver"
	"github.com/followspan/followspan/receiver/conformance"
	"github.com/followspan/followspan/trace"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The variables that name another receiver than followspan's.
const grpcVariable, httpVariable = "CONFORMANCE_GRPC", "CONFORMANCE_HTTP"

// target is a receiver in a state, and how many spans it has passed on so far; -1
// if that cannot be known.
type target struct {
	conformance.Target
	kept func() int
}

// patient is a server as it is by default, but that the race detector may make
// decompressing 80 MiB take longer than a sender may.
var patient = receiver.Settings{ReadTimeout: time.Minute}

func start(t *testing.T, state conformance.State) target {
	t.Helper()
	var kept atomic.Int64
	answer := map[conformance.State]error{
		conformance.Full:   errors.New("full"),
		conformance.Closed: receiver.Permanent(errors.New("closed for good")),
	}[state]
	s, err := receiver.Start(t.Context(), patient, receiver.SinkFunc(func(_ context.Context, b trace.Batch) error {
		if answer == nil {
			kept.Add(int64(len(b.Spans)))
		}
		return answer
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return target{conformance.Target{GRPC: s.GRPCAddr().String(), HTTP: s.HTTPAddr().String()}, func() int { return int(kept.Load()) }}
}

// targets are receivers by their state: followspan's, or the one that the
// environment names, which can only be ready.
func targets(t *testing.T) map[conformance.State]target {
	other := conformance.Target{GRPC: os.Getenv(grpcVariable), HTTP: os.Getenv(httpVariable)}
	if other != (conformance.Target{}) {
		return map[conformance.State]target{conformance.Ready: {other, func() int { return -1 }}}
	}
	all := map[conformance.State]target{}
	for _, state := range []conformance.State{conformance.Ready, conformance.Full, conformance.Closed} {
		all[state] = start(t, state)
	}
	return all
}

func TestConformance(t *testing.T) {
	all := targets(t)
	for _, c := range conformance.Cases() {
		to, ok := all[c.State]
		if !ok {
			continue
		}
		t.Run(c.Name(), func(t *testing.T) {
			before := to.kept()
			for _, wrong := range conformance.Run(t.Context(), to.Target, c) {
				t.Errorf("%s (%s)", wrong, c.Section)
			}
			if after := to.kept(); after >= 0 && after-before != c.Want.Kept {
				t.Errorf("%d spans were kept, want %d (%s)", after-before, c.Want.Kept, c.Section)
			}
		})
	}
}

// Names tell cases apart, and every case has its section.
func TestTable(t *testing.T) {
	names := map[string]bool{}
	for _, c := range conformance.Cases() {
		if names[c.Name()] || c.Section == "" || c.What == "" {
			t.Errorf("%q, section %q: named twice, or without a section", c.Name(), c.Section)
		}
		names[c.Name()] = true
	}
	if len(names) < 100 {
		t.Errorf("%d cases, want at least 100", len(names))
	}
	t.Logf("%d cases", len(names))
}
