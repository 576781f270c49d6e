package main

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// BenchmarkReceiveStart starts the built program again and again: how long it takes
// until its first request is accepted, and how much memory it has then and when it
// has nothing to do. ns/op includes its end.
func BenchmarkReceiveStart(b *testing.B) {
	program := filepath.Join(b.TempDir(), "followspan")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	var started []time.Duration
	var idle, used []float64
	for b.Loop() {
		r := startProgram(b, program)
		started = append(started, r.accepted)
		idle, used = append(idle, r.idle), append(used, r.used)
	}
	slices.Sort(started)
	slices.Sort(idle)
	slices.Sort(used)
	half := len(started) / 2
	b.ReportMetric(float64(started[half].Microseconds())/1000, "ms-to-accepted")
	b.ReportMetric(idle[half], "MiB-idle")
	b.ReportMetric(used[half], "MiB-after-request")
}

// startUp is what was measured of one start.
type startUp struct {
	accepted   time.Duration // from the start of the process to the answer
	idle, used float64       // MiB resident, before the request and after it
}

func startProgram(b *testing.B, program string) (r startUp) {
	b.Helper()
	command := exec.Command(program, "receive", "--listen-grpc", "127.0.0.1:0", "--listen-http", "127.0.0.1:0")
	stderr, err := command.StderrPipe()
	if err != nil {
		b.Fatal(err)
	}
	before := time.Now()
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() {
		_ = command.Process.Signal(os.Interrupt)
		_ = command.Wait() // what it says at its end is not looked at
	}()
	line, err := bufio.NewReader(stderr).ReadString('\n')
	m := listeningLine.FindStringSubmatch(line)
	if err != nil || m == nil {
		b.Fatalf("%q, %v", line, err)
	}
	ready := time.Since(before)
	r.idle = resident(b, command.Process.Pid)
	before = time.Now()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	const request = `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7"}]}]}]}`
	res, err := client.Post(m[2]+"/v1/traces", "application/json", strings.NewReader(request))
	if err != nil {
		b.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		b.Fatal(res.Status)
	}
	r.accepted = ready + time.Since(before)
	r.used = resident(b, command.Process.Pid)
	return r
}

// resident is the memory of a process in MiB, 0 where /proc does not tell.
func resident(b *testing.B, pid int) float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		b.Fatal(err)
	}
	return float64(kib) / 1024
}
