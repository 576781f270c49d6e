//go:build linux && !race

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestCheckStream checks a recording that comes through a pipe and is many times
// as large as the memory for spans.
func TestCheckStream(t *testing.T) {
	const spans, memory = 300_000, 32 // MiB of some 150
	for _, origin := range []string{oneTrace, everyTrace} {
		used, out := checkStream(t, "followspan", spans, memory, origin)
		if want := "300,000 spans of 1 service"; !strings.Contains(out, want) || !strings.Contains(out, "\nok  ") {
			t.Errorf("%s: want %q, got\n%s", origin, want, out)
		}
		// Beside the spans there are the program and, for 30,000 flows, what was found.
		if most := float64(2*memory + 64); used.memory > most {
			t.Errorf("%s: it took %.0f MiB, at most %.0f are allowed", origin, used.memory, most)
		}
	}
}

// A flow that any span may belong to holds all of them: where they do not fit, check
// says so.
func TestCheckStreamThatDoesNotFit(t *testing.T) {
	_, code, out := checkProgram(t, "followspan", 300_000, 32, "version: 1\ninvariants:\n  expect:\n    - {that: spans.exists, per: session}\n")
	if want := "followspan: 32MiB of memory for spans is used up after "; code != 3 || !strings.HasPrefix(out, want) {
		t.Errorf("exit code %d, %q; want 3, %q", code, out, want)
	}
}

// BenchmarkCheckStream is a check of a recording that is made up as it is read, with
// the built program. MiB is the most memory that it took.
func BenchmarkCheckStream(b *testing.B) {
	program := filepath.Join(b.TempDir(), "followspan")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	for _, size := range []struct {
		spans, memory, flows int
		origin               string
	}{{1_000_000, 128, 1, oneTrace}, {4_100_000, 256, 1, oneTrace}, {1_000_000, 256, 100_000, everyTrace}, {4_100_000, 512, 410_000, everyTrace}} {
		b.Run(fmt.Sprintf("spans=%d/flows=%d/memory=%dMiB", size.spans, size.flows, size.memory), func(b *testing.B) {
			most, cpu := 0.0, 0.0
			for b.Loop() {
				used, _ := checkStream(b, program, size.spans, size.memory, size.origin)
				most, cpu = max(most, used.memory), cpu+float64(used.cpu.Nanoseconds())
			}
			b.ReportMetric(most, "MiB")
			b.ReportMetric(cpu/float64(size.spans*b.N), "cpu-ns/span")
		})
	}
}

func checkStream(tb testing.TB, program string, spans, memory int, origin string) (used, string) {
	u, code, out := checkProgram(tb, program, spans, memory, fmt.Sprintf(checkBenchFlow, origin))
	if code != 0 {
		tb.Errorf("exit code %d\n%s", code, out)
	}
	return u, out
}

// checkProgram checks so many spans, which come through a pipe, with so many MiB of
// memory, and returns the exit code and what was printed.
func checkProgram(tb testing.TB, program string, spans, memory int, flows string) (used, int, string) {
	flow := filepath.Join(tb.TempDir(), "bench.flow.yaml")
	if err := os.WriteFile(flow, []byte(flows), 0o600); err != nil {
		tb.Fatal(err)
	}
	writer := exec.Command("write-requests", strconv.Itoa(spans))
	check := exec.Command(program, "check", flow, "--traces", "-", "--memory", fmt.Sprintf("%dMiB", memory))
	var out bytes.Buffer
	check.Stdout, check.Stderr = &out, &out
	pipe, err := writer.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	check.Stdin = pipe
	if err := writer.Start(); err != nil {
		tb.Fatal(err)
	}
	var exit *exec.ExitError
	if err := check.Run(); err != nil && !errors.As(err, &exit) {
		tb.Fatal(err)
	}
	_ = pipe.Close() // the writer ends, whatever was read
	_ = writer.Wait()
	state := check.ProcessState
	return used{state.UserTime() + state.SystemTime(), mostMemory(state)}, state.ExitCode(), out.String()
}
