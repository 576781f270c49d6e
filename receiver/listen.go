package receiver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
)

// listen opens a TCP port. If it is taken the error says so, names the process
// that holds it where that can be seen, and says what to do.
func listen(ctx context.Context, address string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err == nil {
		return l, nil
	}
	if !errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	holder := "another process"
	if _, port, err := net.SplitHostPort(address); err == nil {
		if p := portHolder(port); p != "" {
			holder = p
		}
	}
	return nil, fmt.Errorf("listen on %s: the port is held by %s; stop that or choose another port, 0 for any free one: %w",
		address, holder, syscall.EADDRINUSE)
}
