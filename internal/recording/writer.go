package recording

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/followspan/followspan/internal/otlp"
	"github.com/followspan/followspan/trace"
)

// Writer writes spans as a recording. It may be used concurrently; batches do not
// mix.
type Writer struct {
	encode func([]trace.Span) ([]byte, error)

	mu    sync.Mutex
	out   io.Writer
	pack  packer // the same as out; nil if nothing is compressed
	err   error  // after which nothing is written any more
	spans int
}

// packer compresses what it writes.
type packer interface {
	io.WriteCloser
	Flush() error
}

// NewWriter returns a Writer to out, in the layouts of the Collector's file exporter:
// OTLP JSON with a request on each line, or on several if it is long, or, if the name
// ends in .pb, .binpb or .proto, OTLP protobuf with the length of each request in four
// bytes before it. A name that ends in .gz or .zst behind that asks for compression.
func NewWriter(name string, out io.Writer) (*Writer, error) {
	w := &Writer{encode: jsonLines, out: out}
	name, compression := cutExtension(name)
	switch filepath.Ext(name) {
	case ".pb", ".binpb", ".proto":
		w.encode = framed
	}
	switch compression {
	case ".gz":
		w.pack = gzip.NewWriter(out)
	case ".zst":
		z, err := zstd.NewWriter(out, zstd.WithEncoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		w.pack = z
	}
	if w.pack != nil {
		w.out = w.pack
	}
	return w, nil
}

// cutExtension parts a name from the extension of a compression.
func cutExtension(name string) (rest, compression string) {
	name = strings.ToLower(name)
	for _, c := range compressions {
		if rest, ok := strings.CutSuffix(name, c); ok {
			return rest, c
		}
	}
	return name, ""
}

// longLine is what a line should not exceed: the Collector's receivers of files cut
// lines at 1 MiB, their max_log_size, unless they are told otherwise.
const longLine = 1 << 20

// jsonLines puts a batch on as many lines as it takes to keep them short. A span is
// never divided.
func jsonLines(spans []trace.Span) ([]byte, error) {
	line, err := otlp.EncodeJSON(spans)
	if err != nil || len(line) < longLine || len(spans) == 1 {
		return append(line, '\n'), err
	}
	var all []byte
	for part := range slices.Chunk(spans, max(len(spans)/(len(line)/longLine+2), 1)) {
		lines, err := jsonLines(part)
		if err != nil {
			return nil, err
		}
		all = append(all, lines...)
	}
	return all, nil
}

var errMessageTooLarge = errors.New("a batch of more than 4 GiB")

func framed(spans []trace.Span) ([]byte, error) {
	b := otlp.Append(make([]byte, frameHead), spans)
	if len(b)-frameHead > math.MaxUint32 {
		return nil, errMessageTooLarge
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)-frameHead))
	return b, nil
}

// Write appends the spans of a batch. They are written, compressed or not, when it
// returns: whoever is killed loses none that was answered. After an error every call
// returns the same one, since the file may end in the middle of a batch.
func (w *Writer) Write(b trace.Batch) error {
	if len(b.Spans) == 0 {
		return nil
	}
	content, err := w.encode(b.Spans)
	if err != nil {
		return fmt.Errorf("encode %d spans: %w", len(b.Spans), err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	_, w.err = w.out.Write(content)
	if w.err == nil && w.pack != nil {
		w.err = w.pack.Flush()
	}
	if w.err == nil {
		w.spans += len(b.Spans)
	}
	return w.err
}

// Spans is how many spans were written.
func (w *Writer) Spans() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.spans
}

// Close ends the recording. It does not close what the Writer writes to.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	w.err = errors.New("the recording is closed")
	if w.pack != nil {
		return w.pack.Close()
	}
	return nil
}
