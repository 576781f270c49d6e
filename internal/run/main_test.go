package run

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// modeKey is the environment variable by which a test makes this binary play a
// program that it starts.
const modeKey = "FOLLOWSPAN_TEST_MODE"

// shortGrace is that of a parent's child.
const shortGrace = 300 * time.Millisecond

func TestMain(m *testing.M) {
	if mode := os.Getenv(modeKey); mode != "" {
		play(mode, os.Args[1:])
		os.Exit(0)
	}
	// Nothing listens there, so whatever went through a proxy would fail.
	_ = os.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	_ = os.Setenv("NO_PROXY", "no-such-host.invalid")
	// Programs built with the race detector would take a second to exit.
	_ = os.Setenv("GORACE", "atexit_sleep_ms=0")
	goleak.VerifyTestMain(m)
}

// play is the main function of the programs that tests start.
func play(mode string, args []string) {
	switch mode {
	case "stubborn", "daemon": // ADDRESS: lives until it is killed, or its witness hangs up
		signal.Ignore(syscall.SIGTERM)
		_, _ = io.Copy(io.Discard, testify(args[0], mode))
	case "polite": // ADDRESS: tells its witness when it is asked to end, and ends
		playPolite(args[0])
	case "family": // ADDRESS: stubborn, with a stubborn child
		start("stubborn", args[0])
		play("stubborn", args)
	case "leaver": // MODE ADDRESS: starts another mode, and exits when its witness hangs up
		start(args[0], args[1])
		_, _ = io.Copy(io.Discard, testify(args[1], mode))
	case "parent": // MODE ADDRESS: starts another mode as followspan does, and lives on
		command := playing(args[0], args[1])
		command.Grace = shortGrace
		if _, err := StartChild(command, SystemClock{}); err != nil {
			panic(err)
		}
		play("stubborn", args[1:])
	case "reader": // ends when its standard input does, and at no signal
		signal.Ignore(syscall.SIGTERM)
		fmt.Println("reading")
		_, err := io.Copy(io.Discard, os.Stdin)
		fmt.Println("closed", err)
	case "env": // prints its environment and its arguments
		fmt.Println(strings.Join(append(os.Environ(), args...), "\n"))
	}
}

func playPolite(address string) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	conn := testify(address, "polite")
	go func() {
		_, _ = io.Copy(io.Discard, conn)
		os.Exit(0)
	}()
	<-asked
	_, _ = fmt.Fprintln(conn, "asked")
}

// testify tells a witness that this process lives, for as long as it does.
func testify(address, name string) net.Conn {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		panic(err)
	}
	_, _ = fmt.Fprintln(conn, name)
	return conn
}

// start starts this binary in a mode, in the same group except for a daemon.
func start(mode, address string) {
	cmd := exec.Command(os.Args[0], address)
	cmd.Env = append(os.Environ(), modeKey+"="+mode)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	detach(cmd, mode)
	if err := cmd.Start(); err != nil {
		panic(err)
	}
}

// playing is the command that runs this binary in a mode.
func playing(mode string, args ...string) Command {
	return Command{Argv: append([]string{os.Args[0]}, args...), Env: append(os.Environ(), modeKey+"="+mode)}
}

// witness is told by processes that they live, and sees when they do not.
type witness struct {
	t        *testing.T
	listener net.Listener
}

func newWitness(t *testing.T) *witness {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return &witness{t, listener}
}

func (w *witness) address() string { return w.listener.Addr().String() }

// testimony is what one process says until it ends.
type testimony struct {
	t     *testing.T
	name  string
	conn  net.Conn
	lines *bufio.Scanner
}

// next waits for a process to say that it lives. When the test ends it does too.
func (w *witness) next() testimony {
	w.t.Helper()
	conn, err := w.listener.Accept()
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = conn.Close() })
	s := testimony{w.t, "", conn, bufio.NewScanner(conn)}
	s.lines.Scan()
	s.name = s.lines.Text()
	return s
}

// nextTwo waits for two processes and returns the one of the name first.
func (w *witness) nextTwo(name string) (first, other testimony) {
	w.t.Helper()
	first, other = w.next(), w.next()
	if first.name != name {
		first, other = other, first
	}
	return first, other
}

// wantEnd waits for the end of the process, which says no more than the given lines.
func (s testimony) wantEnd(lines ...string) {
	s.t.Helper()
	for _, want := range lines {
		if !s.lines.Scan() || s.lines.Text() != want {
			s.t.Errorf("%s said %q, want %q", s.name, s.lines.Text(), want)
		}
	}
	for s.lines.Scan() { // the end of the connection, in order or by a reset, is that of the process
		s.t.Errorf("%s said %q", s.name, s.lines.Text())
	}
}
