// Package fault names what can be made to go wrong in the shop.
//
// One fault at a time is switched on, for all processes, by the environment
// variable CHECKOUT_FAULT. Each process asks [FromEnv] once, at its start, and
// the code that misbehaves compares against a constant where it does so; what
// followspan must then say is in faults.yaml.
package fault

import (
	"fmt"
	"os"
	"slices"
)

// Variable is the environment variable that holds the fault.
const Variable = "CHECKOUT_FAULT"

// A Fault is one way in which the shop goes wrong.
type Fault string

const (
	// None is a shop that works.
	None Fault = "none"
	// SlowEmail lets the mail leave three seconds late.
	SlowEmail Fault = "slow-email"
	// NoEmail lets the broker accept an order that nobody is subscribed to.
	NoEmail Fault = "no-email"
	// DoubleCharge lets payment repeat a charge without an idempotency key.
	DoubleCharge Fault = "double-charge"
	// LostContext lets checkout publish the order without any header.
	LostContext Fault = "lost-context"
	// WrongAmount lets checkout send the amount as a decimal string.
	WrongAmount Fault = "wrong-amount"
	// WrongEnv lets inventory say that it runs in another environment.
	WrongEnv Fault = "wrong-env"
	// OldClient lets checkout call a method that inventory no longer serves.
	OldClient Fault = "old-client"
	// Reversed lets checkout charge the card before it reserves the stock.
	Reversed Fault = "reversed"
	// Sequential lets checkout look the prices up one after another.
	Sequential Fault = "sequential"
)

// All returns every fault, None first.
func All() []Fault {
	return []Fault{
		None, SlowEmail, NoEmail, DoubleCharge, LostContext,
		WrongAmount, WrongEnv, OldClient, Reversed, Sequential,
	}
}

// FromEnv returns the fault that the environment switches on, None if it names
// none, and an error that lists the faults if it names one that is not known.
func FromEnv() (Fault, error) {
	f := Fault(os.Getenv(Variable))
	if f == "" {
		return None, nil
	}
	if !slices.Contains(All(), f) {
		return "", fmt.Errorf("%s is %q, which is not one of %v", Variable, f, All())
	}
	return f, nil
}
