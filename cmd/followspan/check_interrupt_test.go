package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/followspan/followspan/internal/run"
)

// Ctrl-C while more is awaited of the standard input: what was read is judged.
func TestCheckInterrupted(t *testing.T) {
	recorded, err := os.ReadFile("../../examples/recorded/shop.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), "followspan", "check", "shop.flow.yaml", "--traces", "-")
	c.Dir = "../../examples/recorded"
	var out bytes.Buffer
	c.Stdout = &out
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Process.Kill() }() // it may have ended
	// Once more blank lines are gone than any pipe holds, what was before them was read.
	if _, err := in.Write(append(recorded, bytes.Repeat([]byte("\n"), 1<<20)...)); err != nil {
		t.Fatal(err)
	}
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := c.Wait(); !errors.As(err, &exit) || exit.ExitCode() != run.ExitInconclusive {
		t.Errorf("it ended with %v, want exit code %d", err, run.ExitInconclusive)
	}
	for _, want := range []string{"frontend ~> email: process orders", "8 spans of 3 services", "interrupted"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}
