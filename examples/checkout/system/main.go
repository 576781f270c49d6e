// Command system builds and starts the example shop, prints where its frontend
// listens, and runs until it is told to stop.
//
// It stops all processes on SIGTERM and SIGINT, when one of them fails, and when
// its standard input is a pipe that closes, so that whoever started it can die
// and leave nothing behind. The environment variable CHECKOUT_FAULT makes one
// thing go wrong; the OTEL_* variables reach every process.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/followspan/followspan/examples/checkout/internal/fault"
	"github.com/followspan/followspan/examples/checkout/internal/launch"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run returns nil if the shop ran and was told to stop.
func run() error {
	// The shop must be stopped even if nobody reads any more what it prints.
	signal.Ignore(syscall.SIGPIPE)
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if isPipe(os.Stdin) {
		go func() {
			defer cancel()
			_, _ = io.Copy(io.Discard, os.Stdin)
		}()
	}
	return serve(ctx)
}

func serve(ctx context.Context) error {
	f, err := fault.FromEnv()
	if err != nil {
		return err
	}
	program, err := launch.Build(ctx, os.Stderr)
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "starting the shop")
	shop, err := launch.Start(ctx, program, f, os.Stderr)
	if err != nil {
		return err
	}
	defer shop.Stop()
	fmt.Printf("frontend listening on http://%s\n", shop.Address("frontend"))
	select {
	case <-ctx.Done():
		return nil
	case err := <-shop.Failed():
		return err
	}
}

// isPipe reports whether somebody holds the other end of the file. A terminal
// or /dev/null says nothing about who started this process.
func isPipe(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && info.Mode()&(os.ModeNamedPipe|os.ModeSocket) != 0
}
