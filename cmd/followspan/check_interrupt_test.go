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

// interruptedCommand runs a command in the folder of the example, hands it a text on
// the standard input, which stays open, and interrupts it once that was read.
func interruptedCommand(t *testing.T, input []byte, args ...string) (output string, exitCode int) {
	t.Helper()
	c := exec.CommandContext(t.Context(), "followspan", args...)
	c.Dir = "../../examples/recorded"
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Process.Kill() }() // it may have ended
	// Once more blank lines are gone than any pipe holds, what was before them was read.
	if _, err := in.Write(append(input, bytes.Repeat([]byte("\n"), 1<<20)...)); err != nil {
		t.Fatal(err)
	}
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := c.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), c.ProcessState.ExitCode()
}

// Ctrl-C while more is awaited of the standard input: what was read is judged, and
// nothing is called missing that may have come.
func TestCheckInterrupted(t *testing.T) {
	recorded, err := os.ReadFile("../../examples/recorded/shop.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		input []byte
		want  []string
	}{
		{"all came", recorded, []string{"frontend ~> email: process orders", "8 spans of 3 services", "interrupted"}},
		{"nothing came", []byte("{}"), []string{"INCONCLUSIVE  runs at least 1", "What was recorded   0 spans", "interrupted"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, code := interruptedCommand(t, c.input, "check", "shop.flow.yaml", "--traces", "-")
			if code != run.ExitInconclusive {
				t.Errorf("exit code %d, want %d", code, run.ExitInconclusive)
			}
			for _, want := range c.want {
				if !strings.Contains(out, want) {
					t.Errorf("no %q in\n%s", want, out)
				}
			}
		})
	}
}

// Ctrl-C while show reads: what was read is shown, and said to be a part.
func TestShowInterrupted(t *testing.T) {
	recorded, err := os.ReadFile("../../examples/recorded/shop.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	out, code := interruptedCommand(t, recorded, "show", "-")
	if code != 0 || !strings.Contains(out, "frontend POST /checkout") || !strings.Contains(out, "interrupted: this is what was read before") {
		t.Errorf("exit code %d\n%s", code, out)
	}
}
