package main

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// The tests run the real program: this binary, under the name followspan.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"followspan":     func() { os.Exit(execute(os.Args[1:], os.Stdout, os.Stderr)) },
		"exporter":       exportFile,
		"pdata-decode":   decodeByPdata,
		"write-requests": streamRequests,
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE") != "",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"cut":       cut,
			"exits":     exits,
			"get":       get,
			"grow":      grow,
			"health":    serveHealth,
			"interrupt": interrupt,
			"kill":      kill,
			"listen":    listen,
			"post":      post,
			"receive":   startReceive,
			"record":    startRecord,
			"sketch":    recordSketch,
		},
	})
}

// exits runs a program and wants the exit code: exits CODE PROGRAM [ARG...].
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARG...]")
	}
	code := "0"
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		code = strconv.Itoa(exit.ExitCode())
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if code != args[0] {
		ts.Fatalf("exit code %s, want %s", code, args[0])
	}
}

// cut copies the first two thirds of a file: cut FROM TO.
func cut(ts *testscript.TestScript, neg bool, args []string) {
	content := ts.ReadFile(args[0])
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(content[:len(content)*2/3]), 0o644))
}

// listen takes a free port until the script ends: listen VARIABLE.
func listen(ts *testscript.TestScript, neg bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = l.Close() })
	ts.Setenv(args[0], l.Addr().String())
}
