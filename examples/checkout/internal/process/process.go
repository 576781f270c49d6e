// Package process is what all processes of the shop have in common: how one
// hears that it should stop, says where it listens and finds the others.
//
// A process lives as long as its standard input, which the launcher holds open:
// see [Context]. It prints one line on its standard output, [Announce], once it
// serves, and everything else goes to standard error. Nothing here listens on a
// fixed port.
package process

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

const readyPrefix = "ready"

// Context returns a context that ends when standard input is closed: by the
// launcher when it stops the shop, or by the kernel when the launcher died.
//
// Signals are ignored. One that was meant for the launcher often reaches its
// whole process group, and the launcher could then not tell a process that was
// stopped from one that failed; and a line that nobody reads any more must not
// end a process before it has tidied up.
func Context() context.Context {
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGPIPE)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, os.Stdin)
	}()
	return ctx
}

// Announce tells the launcher that the process serves, and at which address;
// the address is empty if nobody connects to it.
func Announce(address string) {
	fmt.Println(readyPrefix, address)
}

// Announced returns the address in a line that [Announce] printed, and whether
// it is such a line.
func Announced(line string) (address string, ok bool) {
	rest, ok := strings.CutPrefix(line, readyPrefix+" ")
	return strings.TrimSpace(rest), ok
}

// Address returns where the named process listens, as the launcher said in the
// environment.
func Address(name string) (string, error) {
	address := os.Getenv(AddressVariable(name))
	if address == "" {
		return "", fmt.Errorf("%s is not set: the launcher starts %s first and sets it", AddressVariable(name), name)
	}
	return address, nil
}

// AddressVariable returns the environment variable for the address of a process.
func AddressVariable(name string) string {
	return "SHOP_" + strings.ToUpper(name) + "_ADDRESS"
}
