package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/followspan/followspan/examples/checkout/internal/otlptest"
)

// endLimit is far more than the shop takes to end.
const endLimit = 10 * time.Second

// However the launcher ends, no process is left.
func TestNothingIsLeft(t *testing.T) {
	for name, end := range map[string]func(*launcher) error{
		"standard input closes": func(l *launcher) error { return l.stdin.Close() },
		"terminated":            func(l *launcher) error { return l.cmd.Process.Signal(syscall.SIGTERM) },
		"interrupted as a group": func(l *launcher) error {
			return syscall.Kill(-l.cmd.Process.Pid, syscall.SIGINT)
		},
		"killed": func(l *launcher) error { return l.cmd.Process.Kill() },
	} {
		t.Run(name, func(t *testing.T) {
			l := startLauncher(t, "CHECKOUT_FAULT=none")
			l.awaitReady()
			processes := l.processes()
			if len(processes) != 7 {
				t.Fatalf("got the processes %v, want 7", processes)
			}
			if err := end(l); err != nil {
				t.Fatal(err)
			}
			err := l.wait()
			if killed := name == "killed"; (err != nil) != killed {
				t.Errorf("the launcher ended with %v", err)
			}
			for name, process := range processes {
				process.awaitEnd(t, name)
			}
		})
	}
}

// The last spans arrive even if the exporter's batch was not full.
func TestStopExportsWhatIsLeft(t *testing.T) {
	spans := otlptest.Start(t)
	l := startLauncher(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+spans.Endpoint(), "OTEL_BSP_SCHEDULE_DELAY=60000")
	buy(t, l.awaitReady())
	if got := spans.Spans(); len(got) != 0 {
		t.Fatalf("spans arrived before the stop:\n%v", got)
	}
	if err := l.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := l.wait(); err != nil {
		t.Error(err)
	}
	one(t, spans.Spans(), "frontend", "POST /checkout", server)
	one(t, spans.Spans(), "payment", "POST /v1/charges", client)
}

func TestProcessFails(t *testing.T) {
	l := startLauncher(t)
	l.awaitReady()
	processes := l.processes()
	if err := syscall.Kill(processes["payment"].id, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := l.wait(); err == nil {
		t.Error("the launcher ended with exit status 0, want 1")
	}
	if want := "payment ended: signal: killed"; !strings.Contains(l.stderr.String(), want) {
		t.Errorf("standard error: got %q, want %q in it", l.stderr.String(), want)
	}
	for name, process := range processes {
		process.awaitEnd(t, name)
	}
}

func TestUnknownFault(t *testing.T) {
	l := startLauncher(t, "CHECKOUT_FAULT=no-mail")
	if err := l.wait(); err == nil {
		t.Error("the launcher ended with exit status 0, want 1")
	}
	if want := `CHECKOUT_FAULT is "no-mail", which is not one of [none slow-email`; !strings.Contains(l.stderr.String(), want) {
		t.Errorf("standard error: got %q, want %q in it", l.stderr.String(), want)
	}
}

// A launcher is this test's binary, run as the command.
type launcher struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdin  io.Closer
	stdout *os.File
	// stderr may be read after wait.
	stderr bytes.Buffer
}

func startLauncher(t *testing.T, env ...string) *launcher {
	t.Helper()
	build(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	l := &launcher{t: t, cmd: exec.CommandContext(ctx, os.Args[0])}
	l.cmd.Env = append(os.Environ(), append(env, asLauncher+"=1")...)
	l.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	l.cmd.Stderr = &l.stderr
	stdin, err := l.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, theirs, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	l.stdin, l.stdout, l.cmd.Stdout = stdin, stdout, theirs
	if err := l.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	t.Cleanup(func() { stdin.Close(); stdout.Close() })
	return l
}

// awaitReady returns the frontend's URL once the launcher printed it.
func (l *launcher) awaitReady() (url string) {
	l.t.Helper()
	line, err := bufio.NewReader(l.stdout).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "frontend listening on ")
	if !ok {
		l.t.Fatalf("the launcher printed %q (%v), then ended with %v\n%s", line, err, l.wait(), l.stderr.String())
	}
	return url
}

// wait returns how the launcher ended.
func (l *launcher) wait() error {
	l.t.Helper()
	timer := time.AfterFunc(endLimit, func() { _ = l.cmd.Process.Kill() })
	defer timer.Stop()
	return l.cmd.Wait()
}

// processes returns the launcher's children by name.
func (l *launcher) processes() map[string]running {
	l.t.Helper()
	found := map[string]running{}
	commands, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		l.t.Fatal(err)
	}
	for _, path := range commands {
		var id, parent int
		var state rune
		stat, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "stat"))
		if _, err := fmt.Sscanf(string(stat), "%d (shop) %c %d", &id, &state, &parent); err != nil || parent != l.cmd.Process.Pid {
			continue
		}
		command, err := os.ReadFile(path)
		if err != nil {
			l.t.Fatal(err)
		}
		handle, err := unix.PidfdOpen(id, 0)
		if err != nil {
			l.t.Fatal(err)
		}
		l.t.Cleanup(func() { unix.Close(handle) })
		found[strings.Split(string(command), "\x00")[1]] = running{id: id, handle: handle}
	}
	return found
}

// A running process is held by a handle, since its id may be given to another
// once it has ended.
type running struct {
	id, handle int
}

func (r running) awaitEnd(t *testing.T, name string) {
	t.Helper()
	ended := []unix.PollFd{{Fd: int32(r.handle), Events: unix.POLLIN}}
	for deadline := time.Now().Add(endLimit); ; {
		n, err := unix.Poll(ended, int(time.Until(deadline).Milliseconds()))
		switch {
		case n == 1:
			return
		case err != unix.EINTR:
			t.Fatalf("%s (process %d) still runs %v later: %v", name, r.id, endLimit, err)
		}
	}
}
