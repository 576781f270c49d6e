package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/followspan/followspan/internal/recording"
	"github.com/followspan/followspan/internal/report"
	"github.com/followspan/followspan/trace"
)

// traces are recordings that a command reads.
type traces struct {
	paths   []string // as they were given
	lenient bool
	stdin   io.Reader
	view    *view
}

// lost is how many spans or records a lenient reader left out of a file.
const lost = "what could not be understood in "

// read hands the spans of all recordings to emit. What is odd about a file is said
// as a hint; an error about what it holds is a [recording.Error].
func (t traces) read(ctx context.Context, emit func(trace.Batch) error) error {
	files, err := recording.Find(t.paths)
	if err != nil {
		return err
	}
	meter := meter{view: t.view, of: sizeOf(files)}
	defer t.view.done()
	reader := recording.NewReader(recording.Settings{Lenient: t.lenient, Progress: meter.update}, emit)
	for _, name := range files {
		r, err := t.readFile(ctx, reader, name)
		meter.next()
		if err != nil {
			return err
		}
		t.remark(r)
		if r.FaultCount > 0 {
			loss := trace.Refusal{Reason: lost + r.File, Spans: r.FaultCount}
			if err := emit(trace.Batch{Refused: []trace.Refusal{loss}}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t traces) readFile(ctx context.Context, reader *recording.Reader, name string) (recording.Report, error) {
	if name == recording.Stdin {
		return reader.Read(ctx, "standard input", interruptible(ctx, t.stdin))
	}
	f, err := os.Open(name)
	if err != nil {
		return recording.Report{}, err
	}
	defer f.Close()
	return reader.Read(ctx, name, f)
}

// interruptible ends with ctx, even while nothing comes. Then a goroutine stays in
// the call of r, until the program ends.
func interruptible(ctx context.Context, r io.Reader) io.Reader {
	out, in := io.Pipe()
	context.AfterFunc(ctx, func() { in.CloseWithError(ctx.Err()) })
	go func() {
		_, err := io.Copy(in, r)
		in.CloseWithError(err)
	}()
	return out
}

// remark says what is odd about a file that was read.
func (t traces) remark(r recording.Report) {
	hint := func(format string, args ...any) { t.view.hint(r.File + ": " + fmt.Sprintf(format, args...)) }
	for _, signal := range slices.Sorted(maps.Keys(r.Skipped)) {
		hint("%s with %s skipped: only spans are read", count(r.Skipped[signal], "record"), signal)
	}
	if r.Adjusted > 0 {
		hint("Jaeger changed the times of %s, since it took clocks to be wrong: orders may be wrong", count(r.Adjusted, "span"))
	}
	for _, fault := range r.Faults {
		t.view.hint(fault.Error())
	}
	switch {
	case r.FaultCount > 0:
		hint("%s left out, %s read", count(r.FaultCount, "fault"), count(r.Spans, "span"))
	case r.Spans == 0:
		hint("it holds no spans")
	}
}

// badTraces says what to do about a recording that cannot be understood.
func badTraces(err error) error {
	var at *recording.Error
	if errors.As(err, &at) && at.Record > 0 {
		return fmt.Errorf("%w\n--lenient goes on with the rest", err)
	}
	return err
}

func sizeOf(files []string) (total int64) {
	for _, name := range files {
		info, err := os.Stat(name)
		if err != nil || !info.Mode().IsRegular() {
			return 0
		}
		total += info.Size()
	}
	return total
}

// meter shows on a terminal how far the reading has come.
type meter struct {
	view   *view
	of     int64
	before recording.Progress // of the files that were read
	now    recording.Progress // of the file that is read
	shown  time.Time
}

// meterEvery is how often it changes.
const meterEvery = 100 * time.Millisecond

func (m *meter) update(p recording.Progress) {
	m.now = p
	if time.Since(m.shown) < meterEvery {
		return
	}
	m.shown = time.Now()
	m.view.reading(report.Reading{Bytes: m.before.Bytes + p.Bytes, Of: m.of, Spans: m.before.Spans + p.Spans})
}

func (m *meter) next() {
	m.before.Bytes += m.now.Bytes
	m.before.Spans += m.now.Spans
	m.now = recording.Progress{}
}
