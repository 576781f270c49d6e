// Command shop is one process of the example system; its argument says which.
//
// All processes are one program so that only one has to be compiled and linked.
// They are separate all the same: they share no memory, find each other through
// the environment, and talk over the network. The launcher in ../system starts
// them.
package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/followspan/followspan/examples/checkout/internal/broker"
	"github.com/followspan/followspan/examples/checkout/internal/checkout"
	"github.com/followspan/followspan/examples/checkout/internal/email"
	"github.com/followspan/followspan/examples/checkout/internal/frontend"
	"github.com/followspan/followspan/examples/checkout/internal/gateway"
	"github.com/followspan/followspan/examples/checkout/internal/inventory"
	"github.com/followspan/followspan/examples/checkout/internal/payment"
	"github.com/followspan/followspan/examples/checkout/internal/process"
)

// grace is how long a process may take to end once it was told to. One that
// hangs must not outlive the launcher.
const grace = 2 * time.Second

var processes = map[string]func(context.Context) error{
	"broker":    broker.Run,
	"checkout":  checkout.Run,
	"email":     email.Run,
	"frontend":  frontend.Run,
	"gateway":   gateway.Run,
	"inventory": inventory.Run,
	"payment":   payment.Run,
}

func main() {
	if len(os.Args) != 2 || processes[os.Args[1]] == nil {
		names := slices.Sorted(maps.Keys(processes))
		fmt.Fprintf(os.Stderr, "usage: shop %s\n", strings.Join(names, "|"))
		os.Exit(2)
	}
	ctx := process.Context()
	context.AfterFunc(ctx, func() {
		time.AfterFunc(grace, func() { os.Exit(1) })
	})
	if err := processes[os.Args[1]](ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
