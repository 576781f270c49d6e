// Package work stands in for what takes a real shop its time: a slow price
// table, a tax service, a bank.
package work

import (
	"context"
	"time"
)

// Take returns after d, or with the context's error when that ends first.
func Take(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
