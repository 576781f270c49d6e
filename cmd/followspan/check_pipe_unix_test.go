//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/followspan/followspan/internal/run"
)

// Ctrl-C ends a show while it writes to somebody who does not read: nothing is left to be
// saved.
func TestShowInterruptedWhileItWrites(t *testing.T) {
	c := exec.CommandContext(t.Context(), "followspan", "show", "-", "-v")
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Process.Kill() }() // it may have ended
	const traces = 30_000                   // of which the lines take more than any pipe holds
	for i := range traces {
		if _, err := fmt.Fprintf(in, `[{"traceId":"%x","id":"1","name":"%s"}]`+"\n", i+1, strings.Repeat("long", 20)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(in.Close(), readSome(out)); err != nil {
		t.Fatal(err)
	}
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := c.Wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGINT {
		t.Errorf("it ended with %v, not by the signal", err)
	}
}

// Ctrl-C ends a recording while it waits for whoever reads the pipe that it writes to.
func TestRecordToAPipeInterrupted(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // if it does not end
	defer cancel()
	c := exec.CommandContext(ctx, "followspan", "record", "-o", pipe)
	out, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || !strings.HasPrefix(line, "waiting for somebody to read ") {
		t.Errorf("it says %q, %v", line, err)
	}
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := c.Wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGINT {
		t.Errorf("it ended with %v, not by the signal", err)
	}
}

func readSome(r io.Reader) error {
	_, err := r.Read(make([]byte, 1))
	return err
}

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
