package launch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

// patience is how often somebody who waits for the compiler hears from us.
const patience = 10 * time.Second

// Build compiles the shop and returns the path of the program. It says on
// progress what it does, and says so again while it lasts.
//
// The program is a tool of this module, so the go command keeps it in its build
// cache: the next start compiles and links nothing, and nothing is left behind.
// Build must run inside the module.
func Build(ctx context.Context, progress io.Writer) (path string, err error) {
	fmt.Fprintln(progress, "building the shop (the first time, with NATS and SQLite, takes about a minute)")
	started := time.Now()
	stop := every(patience, func() {
		fmt.Fprintf(progress, "still building the shop (%.0fs)\n", time.Since(started).Seconds())
	})
	defer stop()

	var complaints bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", "tool", "-n", "shop")
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		return "", errors.Join(fmt.Errorf("build the shop: %w", err), errors.New(complaints.String()))
	}
	return strings.TrimSpace(string(out)), nil
}

// every calls f once in each interval until stop is called, which returns after
// the last call.
func every(interval time.Duration, f func()) (stop func()) {
	ticker := time.NewTicker(interval)
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-ticker.C:
				f()
			case <-quit:
				return
			}
		}
	}()
	return func() {
		ticker.Stop()
		close(quit)
		<-ended
	}
}
