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

	"github.com/spf13/pflag"

	"github.com/followspan/followspan/internal/recording"
	"github.com/followspan/followspan/internal/report"
	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
)

// readFlags say how recordings are read.
type readFlags struct {
	lenient           bool
	memory, maxRecord string
}

func (r *readFlags) bind(f *pflag.FlagSet, lenient string) {
	f.BoolVar(&r.lenient, "lenient", false, lenient)
	f.StringVar(&r.memory, "memory", formatSize(store.DefaultBytes), "how much memory spans may take")
	f.StringVar(&r.maxRecord, "max-record", formatSize(recording.DefaultMaxRecord), "the largest record: a line, a message, or an element of a document's list")
}

// readLimits bound what a reading takes, in bytes.
type readLimits struct{ memory, record int64 }

func (r *readFlags) limits() (l readLimits, err error) {
	if l.memory, err = parseMemory(r.memory); err != nil {
		return l, err
	}
	if l.record, err = parseSize(r.maxRecord); err != nil {
		return l, fmt.Errorf("--max-record: %w", err)
	}
	return l, nil
}

// traces are recordings that a command reads.
type traces struct {
	paths     []string // as they were given
	lenient   bool
	maxRecord int64
	stdin     io.Reader
	view      *view
}

// read hands the spans of all recordings to emit. What is odd about a file is said
// as a hint.
func (t traces) read(ctx context.Context, emit func(trace.Batch) error) error {
	files, err := recording.Find(t.paths)
	if err != nil {
		return err
	}
	meter := meter{view: t.view, of: sizeOf(files), shown: time.Now()} // what is read at once needs no meter
	defer t.view.done()
	reader := recording.NewReader(recording.Settings{Lenient: t.lenient, MaxRecord: t.maxRecord, Progress: meter.update}, emit)
	hints := 0
	for i, name := range files {
		r, err := t.readFile(ctx, reader, name)
		meter.next()
		if err != nil {
			return badTraces(err, i+1 < len(files))
		}
		for _, hint := range remarks(r) {
			if hints++; hints <= mostHints || t.view.verbose {
				t.view.hint(hint)
			}
		}
		if lost := losses(r); lost != nil {
			if err := emit(trace.Batch{Refused: lost}); err != nil {
				return err
			}
		}
	}
	if more := hints - mostHints; more > 0 && !t.view.verbose {
		t.view.hint(count(more, "more hint") + " about these files: -v shows all")
	}
	return nil
}

// mostHints is how many hints about files are shown.
const mostHints = 100

// losses is what flows may miss that is not in what was read.
func losses(r recording.Report) (lost []trace.Refusal) {
	if r.FaultCount > 0 {
		lost = append(lost, trace.Refusal{Reason: "what could not be understood in " + r.File, Spans: r.FaultCount})
	}
	if r.Partial > 0 {
		lost = append(lost, trace.Refusal{Reason: "what Tempo left out of traces in " + r.File, Spans: r.Partial})
	}
	return lost
}

func (t traces) readFile(ctx context.Context, reader *recording.Reader, name string) (recording.Report, error) {
	if name == recording.Stdin {
		return reader.Read(ctx, "standard input", interruptible(ctx, t.stdin))
	}
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return reader.Read(ctx, name, interruptible(ctx, &pipe{name: name}))
	}
	f, err := os.Open(name)
	if err != nil {
		return recording.Report{}, err
	}
	defer f.Close()
	return reader.Read(ctx, name, f)
}

// pipe is opened when it is first read, since to open one waits for whoever writes.
type pipe struct {
	name string
	file *os.File
}

func (p *pipe) Read(b []byte) (n int, err error) {
	if p.file == nil {
		if p.file, err = os.Open(p.name); err != nil {
			return 0, err
		}
	}
	if n, err = p.file.Read(b); err != nil {
		_ = p.file.Close()
	}
	return n, err
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

// remarks are what is odd about a file that was read.
func remarks(r recording.Report) (all []string) {
	hint := func(format string, args ...any) { all = append(all, r.File+": "+fmt.Sprintf(format, args...)) }
	for _, signal := range slices.Sorted(maps.Keys(r.Skipped)) {
		hint("%s with %s skipped: only spans are read", count(r.Skipped[signal], "record"), signal)
	}
	if r.Adjusted > 0 {
		hint("Jaeger changed the times of %s, since it took clocks to be wrong: orders may be wrong", count(r.Adjusted, "span"))
	}
	if r.Partial > 0 {
		hint("Tempo did not give %s whole: what rests on an absence is inconclusive", count(r.Partial, "trace"))
	}
	for _, fault := range r.Faults {
		all = append(all, explainFault(fault))
	}
	switch {
	case r.FaultCount > 0:
		hint("%s left out, %s read", count(r.FaultCount, "fault"), count(r.Spans, "span"))
	case r.Spans == 0:
		hint("it holds no spans")
	}
	return all
}

// badTraces says what to do about a recording that cannot be understood, behind which
// more may come.
func badTraces(err error, more bool) error {
	var at *recording.Error
	switch {
	case !errors.As(err, &at):
		return err
	case at.Record == 0 && !more: // there is no rest
		return errors.New(explainFault(at))
	}
	return errors.New(explainFault(at) + "\n--lenient goes on with the rest")
}

// explainFault names the flag that raises a limit.
func explainFault(err error) string {
	if errors.Is(err, recording.ErrTooLarge) {
		return err.Error() + ", which --max-record raises"
	}
	return err.Error()
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
