package recording

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/followspan/followspan/trace"
)

// DefaultMaxRecord is how large one record may be unless Settings say otherwise.
const DefaultMaxRecord = 64 << 20

// Settings of a Reader. The zero value works.
type Settings struct {
	// MaxRecord bounds, in bytes, what is held of a file at once: a line, a message,
	// or an element of a document's list. The window of zstd may have as much, and
	// 128 MiB in any case. 0 is DefaultMaxRecord.
	MaxRecord int64
	// Lenient goes on after what cannot be understood, and counts it.
	Lenient bool
	// Progress hears how far the reading has come. Nil: nobody does.
	Progress func(Progress)
}

// Progress is how much was read of one file.
type Progress struct {
	Bytes int64 // of the file as it is stored
	Spans int
}

// Reader reads recorded traces. It is used by one goroutine at a time.
type Reader struct {
	settings Settings
	emit     func(trace.Batch) error
	builder  trace.Builder
	in       *bufio.Reader // of the file that is read; its buffer serves all of them
	// bundle gets the lines of a bundle, instead of emit; nil for other recordings.
	bundle func(json.RawMessage, []trace.Span) error
}

// NewReader returns a Reader that hands the spans to emit, in the order in which
// they stand in the files, some hundred at a time. An error of emit ends the reading.
// The batches have no receive time.
func NewReader(s Settings, emit func(trace.Batch) error) *Reader {
	if s.MaxRecord == 0 {
		s.MaxRecord = DefaultMaxRecord
	}
	return &Reader{settings: s, emit: emit, in: bufio.NewReaderSize(nil, bufferSize)}
}

// Read reads one recording to its end. The name is for messages. The report is
// complete as far as the reading came; an error about the content is an [*Error].
func (r *Reader) Read(ctx context.Context, name string, in io.Reader) (Report, error) {
	defer func() { _ = r.builder.Commit() }() // what a failed reading left
	f := r.file(ctx, name, in)
	err := f.all(f.source)
	if ctx.Err() != nil && err != nil {
		return f.report, ctx.Err() // rather than what it led to
	}
	return f.report, err
}

func (r *Reader) file(ctx context.Context, name string, in io.Reader) *file {
	return &file{Reader: r, name: name, report: Report{File: name}, source: &source{ctx: ctx, r: in}}
}

// all reads the file, compressed or not.
func (f *file) all(in io.Reader) error {
	f.in.Reset(in)
	plain, done, err := f.decompress(f.in)
	if err != nil {
		return f.fault(&Error{File: f.name, Err: f.unreadable(err)})
	}
	defer done()
	return f.content(plain)
}

const bufferSize = 64 << 10

// file is one recording while it is read.
type file struct {
	*Reader
	name    string
	source  *source
	report  Report
	span    trace.SpanData
	pending int // spans that were not handed out yet
	// spanFault reports what is wrong at an offset of the record that is decoded.
	spanFault func(at int, err error) error
	// stamp corrects what a fault says about its place; nil if nothing is to be.
	stamp func(*Error)
}

// source counts what is read and ends when the context does.
type source struct {
	ctx   context.Context
	r     io.Reader
	bytes int64
}

func (s *source) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := s.r.Read(p)
	s.bytes += int64(n)
	return n, err
}

// fault reports what could not be understood; the error is nil if reading goes on.
func (f *file) fault(e *Error) error {
	if f.stamp != nil {
		f.stamp(e)
	}
	if !f.settings.Lenient || f.source.ctx.Err() != nil {
		return e
	}
	f.report.fault(e)
	return nil
}

var errTruncated = errors.New("it ends in the middle of a value: is it truncated?")

// unreadable says in words why no more can be read.
func (f *file) unreadable(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return errTruncated
	case errors.Is(err, zstd.ErrWindowSizeExceeded):
		return fmt.Errorf("the window of zstd %w of %d bytes", ErrTooLarge, f.window())
	}
	return err
}

// leastElement is how many bytes an attribute, an event, a link or an element of a
// list is taken to have at least: one of two bytes would take two hundred in memory.
const leastElement = 16

// elements is how many of them a record may have.
func (f *file) elements() int { return int(f.settings.MaxRecord / leastElement) }

func (f *file) cursor(record []byte) *cursor {
	return &cursor{b: record, most: f.elements(), room: f.elements()}
}

func tooMany(most int) error {
	return fmt.Errorf("this record %w of %d attributes, events and links", ErrTooLarge, most)
}

func (f *file) tooLarge(what string) error {
	return fmt.Errorf("%s %w of %d bytes", what, ErrTooLarge, f.settings.MaxRecord)
}

// batchSpans is how many spans are handed out at once, if a record has fewer.
const batchSpans = 512

// add takes a span that was decoded into f.span.
func (f *file) add() {
	f.builder.Add(&f.span)
	f.pending++
}

// offer hands out the spans if there are enough of them.
func (f *file) offer() error {
	if f.pending < batchSpans || f.bundle != nil {
		return nil
	}
	return f.flush()
}

func (f *file) flush() error {
	spans := f.builder.Commit()
	f.pending = 0
	f.report.Spans += len(spans)
	if f.settings.Progress != nil {
		f.settings.Progress(Progress{f.source.bytes, f.report.Spans})
	}
	if len(spans) == 0 {
		return nil
	}
	return f.emit(trace.Batch{Spans: spans, Sender: f.name})
}

// stopped is an error that ends the reading, whatever the settings.
type stopped struct{ error }
