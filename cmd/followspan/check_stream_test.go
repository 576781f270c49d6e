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

// TestCheckManyFiles checks what a pattern of many small files matches, more than
// a process may have open.
func TestCheckManyFiles(t *testing.T) {
	const files = 5_000
	dir := t.TempDir()
	for i := range files {
		span := fmt.Sprintf(`[{"traceId":"%x","id":"1","name":"order","timestamp":1767323045000000,"duration":1000}]`, i+1)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.json", i)), []byte(span), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	flow := filepath.Join(dir, "f.flow.yaml")
	if err := os.WriteFile(flow, []byte("version: 1\nflows: {order: {origin: name == \"order\", expect: [spans.count == 1]}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range 110 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("empty%d.json", i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	check := exec.Command("sh", "-c", `ulimit -n 64; exec followspan check "$0" --traces "$1"`, flow, filepath.Join(dir, "*.json"))
	out, err := check.CombinedOutput()
	for _, want := range []string{"5,000 flows, 5,000 spans", "hint: 10 more hints about these files: -v shows all\n"} {
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%v; want %q, got\n%s", err, want, out)
		}
	}
	if used := mostMemory(check.ProcessState); used > 100 { // a buffer for each would be 300
		t.Errorf("it took %.0f MiB", used)
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
