package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// receiving is a followspan receive, or record, that a script has started.
type receiving struct {
	command     *exec.Cmd
	out, errors bytes.Buffer
	read        chan error // of stderr to its end
}

var scripts sync.Map // of *testscript.TestScript to *receiving

var listeningLine = regexp.MustCompile(`^receiving OTLP at (\S+) \(gRPC\) and (\S+) \(HTTP\)`)

// startReceive starts followspan receive on free ports, with further flags, and
// sets GRPC and HTTP to its endpoints: receive [FLAG...].
func startReceive(ts *testscript.TestScript, neg bool, args []string) { listening(ts, "receive", args) }

// startRecord is startReceive for followspan record: record [FLAG...].
func startRecord(ts *testscript.TestScript, neg bool, args []string) { listening(ts, "record", args) }

func listening(ts *testscript.TestScript, subcommand string, args []string) {
	args = append([]string{subcommand, "--listen-grpc", "127.0.0.1:0", "--listen-http", "127.0.0.1:0"}, args...)
	r := &receiving{command: exec.Command("followspan", args...), read: make(chan error, 1)}
	r.command.Stdout = &r.out
	r.command.Dir = ts.MkAbs(".")
	stderr, err := r.command.StderrPipe()
	ts.Check(err)
	ts.Check(r.command.Start())
	ts.Defer(func() { _ = r.command.Process.Kill() }) // it may have ended
	lines := bufio.NewReader(io.TeeReader(stderr, &r.errors))
	first, err := lines.ReadString('\n')
	m := listeningLine.FindStringSubmatch(first)
	if err != nil || m == nil {
		ts.Fatalf("followspan %s began with %q, %v", subcommand, first, err)
	}
	go func() {
		_, err := io.Copy(io.Discard, lines)
		r.read <- err
	}()
	ts.Setenv("GRPC", m[1])
	ts.Setenv("HTTP", m[2])
	scripts.Store(ts, r)
}

// interrupt ends what receive has started as Ctrl-C does, and writes what it said
// to the files out and err.
func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	r := started(ts)
	ts.Check(r.command.Process.Signal(os.Interrupt))
	ts.Check(<-r.read)
	ts.Check(r.command.Wait())
	ts.Check(os.WriteFile(ts.MkAbs("out"), r.out.Bytes(), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("err"), r.errors.Bytes(), 0o600))
}

// kill ends what receive or record has started at once, without a chance to write
// anything.
func kill(ts *testscript.TestScript, neg bool, args []string) {
	r := started(ts)
	ts.Check(r.command.Process.Kill())
	ts.Check(<-r.read)
	_ = r.command.Wait() // it was killed
}

func started(ts *testscript.TestScript) *receiving {
	found, ok := scripts.LoadAndDelete(ts)
	if !ok {
		ts.Fatalf("nothing was started by receive or record")
	}
	return found.(*receiving)
}

// post sends a file to a URL and wants the status: post STATUS URL FILE [HEADER...].
func post(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: post STATUS URL FILE [NAME:VALUE...]")
	}
	request, err := http.NewRequest(http.MethodPost, args[1], strings.NewReader(ts.ReadFile(args[2])))
	ts.Check(err)
	request.Header.Set("Content-Type", "application/json")
	for _, header := range args[3:] {
		name, value, _ := strings.Cut(header, ":")
		request.Header.Set(name, value)
	}
	exchange(ts, request, args[0], "answer")
}

// get writes what is at a URL to a file and wants the status: get STATUS URL FILE.
func get(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: get STATUS URL FILE")
	}
	request, err := http.NewRequest(http.MethodGet, args[1], nil)
	ts.Check(err)
	exchange(ts, request, args[0], args[2])
}

func exchange(ts *testscript.TestScript, request *http.Request, status, file string) {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	ts.Check(err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(file), body, 0o600))
	if got := strconv.Itoa(response.StatusCode); got != status {
		ts.Fatalf("%s %s: status %s, want %s: %s", request.Method, request.URL, got, status, body)
	}
}
