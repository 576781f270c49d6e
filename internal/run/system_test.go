package run

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func startSystem(t *testing.T, s System, clock Clock) *RunningSystem {
	t.Helper()
	r, err := s.Start(clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.group.kill()
		r.Stop()
	})
	return r
}

// readyTime is longer than any test takes.
const readyTime = 2 * time.Minute

// living is a system that says so and lives on until its standard input closes.
func living() System {
	return System{Command: playing("reader"), Timeout: readyTime}
}

func TestReadyByOutput(t *testing.T) {
	needShell(t)
	var progress []string
	system := System{
		Command: Command{Shell: `printf 'compiling\nfrontend on http://127.0.0.1:8123\nfrontend on http://127.0.0.1:9\n'; cat`},
		Timeout: readyTime,
		Ready:   Ready{Output: regexp.MustCompile(`(?P<service>\w+) on (?P<url>http://\S+)`)},
	}
	system.Command.Lines = func(line string) { progress = append(progress, line) }
	r := startSystem(t, system, SystemClock{})
	params, err := r.AwaitReady(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"service": "frontend", "url": "http://127.0.0.1:8123"}, params); diff != "" {
		t.Errorf("params (-want +got):\n%s", diff)
	}
	r.Stop()
	if step := r.Step(); step.Err != "" || step.Output != nil {
		t.Errorf("step %+v", step)
	}
	if len(progress) != 3 || progress[0] != "compiling" {
		t.Errorf("progress %q", progress)
	}
}

func TestReadyByTCP(t *testing.T) {
	w := newWitness(t)
	system := living()
	system.Ready.TCP = w.address()
	if _, err := startSystem(t, system, newHandClock()).AwaitReady(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestReadyByHTTPOnceItAnswersBelow500(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		http.NotFound(w, nil)
	}))
	defer server.Close()
	system, clock := living(), newHandClock()
	system.Ready.HTTP = server.URL
	r := startSystem(t, system, clock)
	go func() {
		clock.expect(firstPause)
		clock.pass(firstPause)
		clock.expect(2 * firstPause)
		clock.pass(2 * firstPause)
	}()
	if _, err := r.AwaitReady(t.Context()); err != nil || asked.Load() != 3 {
		t.Errorf("asked %d times, %v", asked.Load(), err)
	}
}

func TestReadyAtOnceIfNothingIsAsked(t *testing.T) {
	if params, err := startSystem(t, living(), newHandClock()).AwaitReady(t.Context()); err != nil || params != nil {
		t.Errorf("params %v, %v", params, err)
	}
}

func TestNotReadyInTime(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
	}))
	defer server.Close()
	for _, test := range []struct {
		ready  Ready
		awaits time.Duration // the timer that shows that it waits
		want   string
	}{
		{Ready{Output: regexp.MustCompile("never")}, readyTime, `was not ready within 2m0s (system.start): it printed no line that matches "never"`},
		{Ready{HTTP: server.URL}, firstPause, `was not ready within 2m0s (system.start): GET ` + server.URL + ` answers 502 Bad Gateway`},
	} {
		system, clock := living(), newHandClock()
		system.Ready = test.ready
		reading := make(chan bool, 1)
		system.Command.Lines = func(string) {
			select {
			case reading <- true:
			default:
			}
		}
		r := startSystem(t, system, clock)
		<-reading // so that there is output to show
		go func() {
			clock.expect(test.awaits)
			clock.pass(readyTime)
		}()
		_, err := r.AwaitReady(t.Context())
		if err == nil || err.Error() != test.want {
			t.Errorf("AwaitReady(%v)\n got %v\nwant %s", test.ready, err, test.want)
		}
		r.Stop()
		if step := r.Step(); step.Err != test.want || step.Output[0] != "reading" {
			t.Errorf("step %+v", step)
		}
	}
}

func TestSystemThatEndsBeforeItIsReady(t *testing.T) {
	needShell(t)
	for _, test := range []struct{ line, want string }{
		{"echo broken >&2; exit 7", "exited with code 7 before it was ready"},
		{"echo broken", "exited with code 0 before it was ready; it must run in the foreground until it is stopped"},
	} {
		for name, ready := range map[string]Ready{
			"output": {Output: regexp.MustCompile("never")},
			"tcp":    {TCP: refusing(t)},
			"http":   {HTTP: "http://" + refusing(t)},
		} {
			r := startSystem(t, System{Command: Command{Shell: test.line}, Ready: ready, Timeout: readyTime}, SystemClock{})
			_, err := r.AwaitReady(t.Context())
			if err == nil || err.Error() != test.want {
				t.Errorf("%s: got %v, want %s", name, err, test.want)
			}
			if step := r.Step(); step.Err != test.want || strings.Join(step.Output, "\n") != "broken" {
				t.Errorf("%s: step %+v", name, step)
			}
		}
	}
}

func TestSystemThatEndsDuringTheRun(t *testing.T) {
	needShell(t)
	r := startSystem(t, System{Command: Command{Shell: "echo here; read x; echo gone; exit 2"}, Ready: Ready{Output: regexp.MustCompile("here")}, Timeout: readyTime}, SystemClock{})
	if _, err := r.AwaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	_ = r.stdin.Close()
	step := r.Step()
	if step.Err != "exited with code 2 before the run was over" || step.ExitCode != 2 || strings.Join(step.Output, " ") != "here gone" {
		t.Errorf("step %+v", step)
	}
}

func TestAwaitReadyIsInterrupted(t *testing.T) {
	system := living()
	system.Ready.Output = regexp.MustCompile("never")
	r := startSystem(t, system, newHandClock())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.AwaitReady(ctx); !errors.Is(err, context.Canceled) || err.Error() != "was interrupted before it was ready: context canceled" {
		t.Errorf("got %v", err)
	}
}

func TestReadyThatCanNeverHold(t *testing.T) {
	for _, test := range []struct {
		ready Ready
		want  string
	}{
		{Ready{TCP: "8080"}, `"8080" is no address such as 127.0.0.1:8080`},
		{Ready{HTTP: "localhost:8080/health"}, `"localhost:8080/health" is no URL: it does not start with http:// or https:// (http://localhost:8080/health)`},
	} {
		system := living()
		system.Ready = test.ready
		if _, err := startSystem(t, system, newHandClock()).AwaitReady(t.Context()); err == nil || err.Error() != test.want {
			t.Errorf("AwaitReady(%v)\n got %v\nwant %s", test.ready, err, test.want)
		}
	}
}

// refusing returns an address on which nothing listens.
func refusing(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	return listener.Addr().String()
}
