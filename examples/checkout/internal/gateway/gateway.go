// Package gateway stands in for the card gateway of a third party: it is not
// instrumented, and does not even look at the trace context that it is sent.
package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/followspan/followspan/examples/checkout/internal/fault"
	"github.com/followspan/followspan/examples/checkout/internal/process"
	"github.com/followspan/followspan/examples/checkout/internal/work"
)

// chargeTime is how long the bank takes.
const chargeTime = 10 * time.Millisecond

// A charge is money taken from a card, as the gateway tells it.
type charge struct {
	ID       string `json:"id"`
	Captured bool   `json:"captured"`
	// Settled says that the bank confirmed it; until then the client asks again.
	Settled bool `json:"settled"`
}

// Run serves until the context ends.
func Run(ctx context.Context) error {
	f, err := fault.FromEnv()
	if err != nil {
		return err
	}
	g := &gateway{slowBank: f == fault.DoubleCharge, byKey: map[string]charge{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/charges", g.create)
	return process.ServeHTTP(ctx, mux)
}

type gateway struct {
	// slowBank leaves every other new charge unsettled at first, so that each
	// client has to ask twice.
	slowBank bool

	mu    sync.Mutex // guards the charges
	made  int
	byKey map[string]charge
}

func (g *gateway) create(w http.ResponseWriter, r *http.Request) {
	if err := work.Take(r.Context(), chargeTime); err != nil {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(g.charge(r.Header.Get("Idempotency-Key")))
}

// charge takes the money, but only once for each key. Without a key it cannot
// tell a repetition from a second purchase.
func (g *gateway) charge(key string) charge {
	g.mu.Lock()
	defer g.mu.Unlock()
	if known, ok := g.byKey[key]; ok {
		known.Settled = true
		return known
	}
	g.made++
	c := charge{
		ID:       fmt.Sprintf("ch_%d", g.made),
		Captured: true,
		Settled:  !g.slowBank || g.made%2 == 0,
	}
	if key != "" {
		g.byKey[key] = c
	}
	return c
}
