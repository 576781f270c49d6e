//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/followspan/followspan/internal/run"
)

// Ctrl-C ends a check while it waits for a named pipe that somebody holds open: what
// came is judged.
func TestCheckOfAPipeInterrupted(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // if it does not end
	defer cancel()
	c := exec.CommandContext(ctx, "followspan", "check", "shop.flow.yaml", "--traces", pipe)
	c.Dir = "../../examples/recorded"
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	in, err := os.OpenFile(pipe, os.O_WRONLY, 0) // once it is opened at the other end
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := c.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if code := c.ProcessState.ExitCode(); code != run.ExitInconclusive || !strings.Contains(out.String(), "interrupted") {
		t.Errorf("exit code %d\n%s", code, &out)
	}
}
