//go:build unix

package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A followspan that is killed leaves no process behind: neither the system, nor
// what the system started.
func TestKilledLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "alive")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	flow := filepath.Join(dir, "f.flow.yaml")
	// Both shells hold the pipe open for as long as they live.
	err := os.WriteFile(flow, []byte(`version: 1
defaults: {deadline: 60s}
system:
  command: "exec 3>alive; trap '' TERM; sh -c 'trap \"\" TERM; echo up >&3; sleep 600' & echo ready; wait"
  ready: {output: ready}
flows:
  f:
    origin: name == "never"
    expect: [spans.count >= 1]
`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command("followspan", "run", flow)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	alive, err := os.OpenFile(fifo, os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer alive.Close()
	up := make([]byte, 3)
	if _, err := io.ReadFull(alive, up); err != nil {
		t.Fatalf("the system did not come up: %v", err)
	}
	if err := command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait() // it was killed
	gone := make(chan error, 1)
	go func() {
		_, err := io.ReadAll(alive)
		gone <- err
	}()
	select {
	case err := <-gone:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Error("something that followspan started still runs 30s after it was killed")
	}
}

// Ctrl-C stops the children, judges what there is and says so.
func TestInterrupted(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "alive")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	flow := filepath.Join(dir, "f.flow.yaml")
	err := os.WriteFile(flow, []byte("version: 1\nflows: {f: {origin: name == \"x\", expect: [spans.count >= 1]}}\n"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command("followspan", "run", flow, "--", "sh", "-c", "echo up >"+fifo+"; exec sleep 600")
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.ReadFile(fifo); err != nil {
		t.Fatal(err)
	}
	if err := command.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(out)
	if err != nil {
		t.Fatal(err)
	}
	_ = command.Wait() // the exit code is looked at
	if code := command.ProcessState.ExitCode(); code != 1 {
		t.Errorf("exit code %d, want 1: the flow never happened\n%s", code, text)
	}
	if !strings.Contains(string(text), "interrupted") {
		t.Errorf("the report does not say that the run was interrupted:\n%s", text)
	}
}
