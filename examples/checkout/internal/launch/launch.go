// Package launch starts the processes of the shop and stops them again.
//
// [Build] compiles them, [Start] returns a [System] once all of them serve. A
// process lives as long as the pipe on its standard input, which only this
// process holds open: when it dies, however it dies, the kernel closes the pipe
// and the shop ends too.
package launch

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"

	"github.com/followspan/followspan/examples/checkout/internal/fault"
	"github.com/followspan/followspan/examples/checkout/internal/process"
)

var (
	// infrastructure starts first and stops last.
	infrastructure = []string{"broker", "gateway"}
	// services stand in an order in which each comes after those that it calls.
	services = []string{"inventory", "payment", "email", "checkout", "frontend"}
)

// A System is the running shop.
type System struct {
	children  map[string]*child
	addresses map[string]string
	failed    chan error
}

// Start starts all processes of the shop with one fault, and returns once all
// serve. What they print goes to output, with the name of the process in front.
// On an error nothing is left running.
func Start(ctx context.Context, program string, f fault.Fault, output io.Writer) (*System, error) {
	s := &System{
		children:  map[string]*child{},
		addresses: map[string]string{},
		failed:    make(chan error, len(infrastructure)+len(services)),
	}
	log := &lockedWriter{to: output}
	for _, name := range slices.Concat(infrastructure, services) {
		if err := s.start(ctx, program, name, f, log); err != nil {
			s.Stop()
			return nil, err
		}
	}
	return s, nil
}

// start starts one process and waits until it serves.
func (s *System) start(ctx context.Context, program, name string, f fault.Fault, log io.Writer) error {
	env := slices.Concat(os.Environ(), s.environment(), identity(name, f))
	c, err := startChild(program, name, env, log)
	if err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	s.children[name] = c
	select {
	case s.addresses[name] = <-c.ready:
		go s.watch(c)
		return nil
	case <-c.ended:
		return c.failure()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// environment returns the variables that say where the processes listen that
// serve already.
func (s *System) environment() []string {
	var env []string
	for name, address := range s.addresses {
		env = append(env, process.AddressVariable(name)+"="+address)
	}
	return env
}

// watch reports a process that ends before it was told to.
func (s *System) watch(c *child) {
	<-c.ended
	if !c.stopped() {
		s.failed <- c.failure()
	}
}

// Failed delivers an error for each process that ended by itself. It names the
// process and holds its last output.
func (s *System) Failed() <-chan error {
	return s.failed
}

// Address returns the host and port at which the named process listens.
func (s *System) Address(name string) string {
	return s.addresses[name]
}

// Stop ends all processes, and returns once they have exported their last spans
// and are gone. Services go before the broker and the gateway that they use.
func (s *System) Stop() {
	for _, names := range [][]string{services, infrastructure} {
		var gone sync.WaitGroup
		for _, name := range names {
			if c := s.children[name]; c != nil {
				gone.Go(c.stop)
			}
		}
		gone.Wait()
	}
}
