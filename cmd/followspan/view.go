package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/followspan/followspan/internal/report"
	"github.com/followspan/followspan/internal/run"
	"github.com/followspan/followspan/receiver"
)

// view shows a person what a run is doing, on stderr: the system while it starts,
// hints, and on a terminal a line that says what is awaited.
type view struct {
	verbose bool

	mu       sync.Mutex // guards what follows; hints come from the receiver's goroutines
	w        io.Writer
	progress *report.Progress // nil if w is no terminal
	starting bool             // the system's output is shown until it is ready
}

func newView(w io.Writer, verbose bool) *view {
	v := &view{w: w, verbose: verbose}
	if _, ok := terminalWidth(w); ok {
		v.progress = report.NewProgress(w, textSettings(w, os.Getenv))
	}
	return v
}

// listening says where spans are expected if the user fixed a port.
func (v *view) listening(flags runFlags, s *receiver.Server) {
	if flags.grpc != receiver.DefaultAddress || flags.http != receiver.DefaultAddress {
		v.line(fmt.Sprintf("receiving OTLP at %s and %s", s.GRPCEndpoint(), s.HTTPEndpoint()))
	}
}

func (v *view) event(e run.Event) {
	switch {
	case e.Started != "":
		v.starting = strings.HasPrefix(e.Started, "system: ")
		if v.starting || v.verbose {
			v.line(e.Started)
		}
	case e.Line != "":
		if v.starting || v.verbose {
			v.line("  " + e.Line)
		}
	case e.Hint != "":
		v.hint(e.Hint)
	case e.Waiting != nil && v.progress != nil:
		v.mu.Lock()
		defer v.mu.Unlock()
		// Nothing can be done about a terminal that takes no more.
		_ = v.progress.Update(report.Waiting{Elapsed: e.Waiting.Elapsed, Spans: e.Waiting.Spans, Awaiting: e.Waiting.Awaiting})
	}
}

// commandLine passes the output of the command under test on, if that is wanted.
func (v *view) commandLine() func(string) {
	if !v.verbose {
		return nil
	}
	return v.line
}

func (v *view) hint(h string) { v.line("hint: " + h) }

func (v *view) line(s string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.clear()
	fmt.Fprintln(v.w, diagStyle(textSettings(v.w, os.Getenv)).Clean(s))
}

// reading says how far the reading of files has come.
func (v *view) reading(r report.Reading) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.progress != nil {
		_ = v.progress.Read(r) // see event
	}
}

// done takes the progress line away.
func (v *view) done() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.clear()
}

func (v *view) clear() {
	if v.progress != nil {
		_ = v.progress.Clear()
	}
}
