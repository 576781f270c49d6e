package recording

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Starts by which content is recognised.
var (
	gzipStart = []byte{0x1f, 0x8b}
	zstdStart = []byte{0x28, 0xb5, 0x2f, 0xfd}
	utf8Mark  = []byte{0xef, 0xbb, 0xbf}
)

// messageStart is the tag of TracesData.resource_spans, field 1.
const messageStart = 1<<3 | 2

// maxWindow bounds the memory of zstd; it is what the zstd program takes by default.
const maxWindow = 128 << 20

// decompress looks whether the content is compressed. The caller calls done when it
// has read.
func (f *file) decompress(r *bufio.Reader) (plain *bufio.Reader, done func(), err error) {
	start, err := r.Peek(len(zstdStart))
	if err != nil && err != io.EOF {
		return nil, nil, err
	}
	switch {
	case bytes.HasPrefix(start, gzipStart):
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, nil, err
		}
		return bufio.NewReaderSize(z, bufferSize), func() { _ = z.Close() }, nil
	case bytes.HasPrefix(start, zstdStart):
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, nil, err
		}
		return bufio.NewReaderSize(z, bufferSize), z.Close, nil
	}
	return r, func() {}, nil
}

// content reads what is not compressed, whichever kind it is.
func (f *file) content(r *bufio.Reader) error {
	if start, _ := r.Peek(len(utf8Mark)); bytes.Equal(start, utf8Mark) {
		_, _ = r.Discard(len(utf8Mark))
	}
	start, err := r.Peek(startLength)
	switch {
	case err != nil && err != io.EOF:
		return f.fault(&Error{File: f.name, Err: err})
	case len(bytes.TrimSpace(start)) == 0 && err == io.EOF:
		return nil // an empty recording holds no spans
	case isMessage(start):
		return f.message(r)
	case isFramed(start):
		return f.frames(r)
	case isJSON(start):
		return f.json(r)
	}
	return f.fault(&Error{File: f.name, Err: notKnown(start)})
}

// startLength is how much of a file its kind is told by.
const startLength = 512

func isJSON(start []byte) bool {
	start = bytes.TrimLeft(start, " \t\r\n")
	return len(start) == 0 || start[0] == '{' || start[0] == '['
}

// isMessage reports whether start may begin a TracesData: a field 1, which is of
// ResourceSpans, within which stands a resource, scope_spans or nothing. JSON that
// begins with a line break may look so too, but is text.
func isMessage(start []byte) bool {
	in, ok := cutField(start, 1)
	if !ok || isText(start) {
		return false
	}
	_, resource := cutField(in, 1)
	_, scopeSpans := cutField(in, 2)
	return resource || scopeSpans || len(in) == 0
}

func isText(b []byte) bool {
	return bytes.IndexFunc(b, func(r rune) bool { return r < ' ' && r != '\t' && r != '\n' && r != '\r' }) < 0
}

// cutField returns the content of a field that is a message, as far as it is there.
func cutField(b []byte, field byte) ([]byte, bool) {
	if len(b) < 2 || b[0] != field<<3|2 {
		return nil, false
	}
	n, size := binary.Uvarint(b[1:])
	if size <= 0 {
		return nil, false
	}
	b = b[1+size:]
	return b[:min(uint64(len(b)), n)], true
}

// isFramed reports whether start may be what the Collector's file exporter writes
// for protobuf and for whatever it compresses: the length in four bytes, the highest
// first, then the record.
func isFramed(start []byte) bool {
	if len(start) < frameHead || start[0] >= '\t' {
		return false
	}
	length, rest := binary.BigEndian.Uint32(start), start[frameHead:]
	return length == 0 || len(rest) > 0 && (rest[0] == messageStart || rest[0] == '{' || bytes.HasPrefix(rest, zstdStart))
}

// notKnown says what a file of no known kind may be.
func notKnown(start []byte) error {
	for _, k := range [...]struct{ start, what string }{
		{"PK\x03\x04", "a zip archive: unpack it first"},
		{"\xff\xfe", "UTF-16: convert it to UTF-8"},
		{"\xfe\xff", "UTF-16: convert it to UTF-8"},
		{"BZh", "bzip2: unpack it first"},
		{"\xfd7zXZ", "xz: unpack it first"},
		{"\x1f\x8b", "gzip in gzip: unpack it once"},
		{"<", "XML or HTML: is it the page instead of what it links to?"},
	} {
		if bytes.HasPrefix(start, []byte(k.start)) {
			return errors.New("this looks like " + k.what)
		}
	}
	return fmt.Errorf("this is neither JSON nor OTLP protobuf: it starts with % x", start[:min(len(start), 8)])
}
