package recording

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"

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

// window bounds the memory of zstd. The zstd program takes the least by default, and
// the most if it is told so.
func (f *file) window() uint64 {
	const least, most = 128 << 20, 2 << 30
	return min(max(uint64(f.settings.MaxRecord), least), most)
}

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
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(f.window()), zstd.WithDecoderLowmem(true))
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
	case err != nil && err != io.EOF && len(start) == 0: // else it shows again, behind what can be read
		return f.fault(&Error{File: f.name, Err: f.unreadable(err)})
	case len(bytes.TrimSpace(start)) == 0 && err == io.EOF:
		return nil // an empty recording holds no spans
	case len(start) == startLength && len(bytes.Trim(start, "\x00")) == 0:
		return f.fault(&Error{File: f.name, Err: errZeros})
	case isMessage(start):
		return f.message(r)
	case isFramed(start):
		return f.frames(r)
	case isJSON(start):
		return f.json(newLines(r))
	case isText(start) && jsonLine.Match(start) && !flowFile.Match(start):
		return f.json(&lines{r: r, layout: byLine})
	}
	return f.fault(&Error{File: f.name, Err: notKnown(start)})
}

// errZeros is what a file may hold that was being written when the machine went down.
var errZeros = errors.New("it begins with nothing but zero bytes: was it damaged?")

// startLength is how much of a file its kind is told by.
const startLength = 512

func isJSON(start []byte) bool {
	start = bytes.TrimLeft(start, " \t\r\n")
	return len(start) == 0 || (start[0] == '{' || start[0] == '[') && (len(start) == 1 || start[1] != 0)
}

// jsonLine finds JSON behind other lines, such as what a program logged before.
var jsonLine = regexp.MustCompile(`(?m)^(\{"|\[\{)`)

// isMessage reports whether start may begin a TracesData: a field 1, which is of
// ResourceSpans, within which stands a resource, scope_spans, a schema_url or nothing. JSON that
// begins with a line break may look so too, but is text.
func isMessage(start []byte) bool {
	in, ok := cutField(start, 1)
	if !ok || isText(start) {
		return false
	}
	_, resource := cutField(in, 1)
	_, scopeSpans := cutField(in, 2)
	_, schema := cutField(in, 3)
	return resource || scopeSpans || schema || len(in) == 0
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
		{"{\x00", "UTF-16: convert it to UTF-8"},
		{"[\x00", "UTF-16: convert it to UTF-8"},
		{"\x00{", "UTF-16: convert it to UTF-8"},
		{"\x00[", "UTF-16: convert it to UTF-8"},
		{"BZh", "bzip2: unpack it first"},
		{"\xfd7zXZ", "xz: unpack it first"},
		{"\x1f\x8b", "gzip in gzip: unpack it once"},
		{"<", "XML or HTML: is it the page instead of what it links to?"},
	} {
		if bytes.HasPrefix(start, []byte(k.start)) {
			return errors.New("this looks like " + k.what)
		}
	}
	switch {
	case flowFile.Match(start):
		return errors.New("this looks like a flow file, where recorded traces are wanted")
	case isText(start) && utf8.Valid(start[:min(len(start), 8)]):
		line, _, _ := strings.Cut(string(start), "\n")
		return fmt.Errorf("this is no object or list of JSON, and no OTLP protobuf: it starts with %.24q", strings.TrimSpace(line))
	}
	return fmt.Errorf("this is neither JSON nor OTLP protobuf: it starts with % x", start[:min(len(start), 8)])
}

// flowFile finds what stands at the top of a flow file.
var flowFile = regexp.MustCompile(`(?m)^(version|flows|spans|params|system): *`)

// IsRecording reports whether a file begins as recorded traces do, and so is no text
// that a person wrote. Only its beginning is read.
func IsRecording(path string) (bool, error) {
	start, err := beginning(path, startLength)
	return isMessage(start) || isFramed(start) || isJSON(start) && telltale.Match(start), err
}

// beginning is what a file begins with once it is decompressed, at most so many bytes;
// nil if it cannot be, and of a pipe, from which that would be taken away.
func beginning(path string, most int) ([]byte, error) {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return nil, err
	}
	in, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	f := NewReader(Settings{}, nil).file(context.Background(), path, in)
	f.in.Reset(in)
	plain, done, err := f.decompress(f.in)
	if err != nil {
		return nil, nil // whatever it is
	}
	defer done()
	start, _ := plain.Peek(most + len(utf8Mark))
	start = bytes.TrimPrefix(start, utf8Mark)
	return start[:min(len(start), most)], nil
}

// telltale finds what stands at the beginning of recordings in JSON: of OTLP, Tempo,
// Jaeger and Zipkin, and of bundles.
var telltale = regexp.MustCompile(`"(resource(Spans|Logs|Metrics|Profiles)|batches|trace(Id|ID)|` + bundleMember + `)"`)
