package recording

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"

	"github.com/klauspost/compress/gzip"

	"github.com/followspan/followspan/internal/otlp"
	"github.com/followspan/followspan/trace"
)

// bundleMember is the member of each line of a run bundle that says something beside
// spans. It stands first.
const bundleMember = "followspan"

// BundleWriter writes a run bundle: lines of OTLP JSON in gzip, each with the member
// "followspan", of which this package knows no more than that it is JSON. Whoever
// wants nothing but the spans may read it as any other recording. It is used by one
// goroutine at a time.
type BundleWriter struct {
	pack *gzip.Writer
	out  *bufio.Writer
	kept int // bytes since the last flush
}

// flushEvery is how many bytes of a bundle a crash may cost, unless Flush comes before.
const flushEvery = 256 << 10

// NewBundleWriter returns a BundleWriter to out.
func NewBundleWriter(out io.Writer) *BundleWriter {
	// An error means that the level is out of range.
	pack, _ := gzip.NewWriterLevel(out, gzip.BestSpeed)
	return &BundleWriter{pack: pack, out: bufio.NewWriterSize(pack, bufferSize)}
}

// Write appends a line: data as JSON, and spans if there are any.
func (w *BundleWriter) Write(data any, spans []trace.Span) error {
	head, err := json.Marshal(map[string]any{bundleMember: data})
	if err != nil {
		return err
	}
	var body []byte
	if len(spans) > 0 {
		if body, err = otlp.EncodeJSON(spans); err != nil {
			return err
		}
		head[len(head)-1], body = ',', body[1:] // the two objects become one
	}
	for _, part := range [][]byte{head, body, []byte("\n")} {
		n, err := w.out.Write(part)
		if w.kept += n; err != nil {
			return err
		}
	}
	if w.kept < flushEvery {
		return nil
	}
	return w.Flush()
}

// Flush hands on all that was written.
func (w *BundleWriter) Flush() error {
	w.kept = 0
	return errors.Join(w.out.Flush(), w.pack.Flush())
}

// Close writes what is left. It does not close what the bundle is written to.
func (w *BundleWriter) Close() error { return errors.Join(w.out.Flush(), w.pack.Close()) }

// bundleRecord is how many times as large as a record a line of a bundle may be: a
// request has its own limit, and as JSON it takes some times as much.
const bundleRecord = 16

// ReadBundle reads a run bundle line by line; maxRecord is as in [Settings]. The data, nil if a line has none, and the
// slice of spans are the callee's. An error of each ends the reading; an error about the content is an
// [*Error], such as one that says where a bundle was cut off.
func ReadBundle(ctx context.Context, name string, in io.Reader, maxRecord int64, each func(data json.RawMessage, spans []trace.Span) error) (Report, error) {
	line := bundleRecord * min(cmp.Or(maxRecord, DefaultMaxRecord), math.MaxInt64/bundleRecord)
	r := NewReader(Settings{MaxRecord: line}, func(b trace.Batch) error { return each(nil, b.Spans) })
	r.bundle = each
	return r.Read(ctx, name, in)
}

// IsBundle reports whether a file is a run bundle.
func IsBundle(path string) (bool, error) {
	start, err := beginning(path, len(`{""`)+len(bundleMember))
	return bytes.Equal(start, []byte(`{"`+bundleMember+`"`)), err
}
