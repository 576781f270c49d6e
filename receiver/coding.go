package receiver

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// codings are the compressions that senders may use, in the order in which an
// answer recommends them.
const codings = "gzip, zstd, deflate, snappy, lz4"

// opener starts to decompress r. What it returns yields at most limit+1 bytes, so
// that a reader sees that the limit was passed and a bomb costs no more.
type opener func(r io.Reader, limit int) (io.ReadCloser, error)

// coding finds the opener for the values of the Content-Encoding headers. It is nil
// for an uncompressed body.
func coding(headers []string) (opener, error) {
	var open opener
	for name := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		name = strings.ToLower(strings.TrimSpace(name))
		if name == "" || name == "identity" {
			continue
		}
		if open != nil {
			return nil, fmt.Errorf("content encoding %q: a body may be compressed once", strings.Join(headers, ", "))
		}
		if open = openers[name]; open == nil {
			return nil, fmt.Errorf("content encoding %q is unknown, use one of %s", name, codings)
		}
	}
	return open, nil
}

var openers = map[string]opener{
	"gzip": openGzip, "x-gzip": openGzip,
	"zstd":    openZstd,
	"deflate": openDeflate, "zlib": openDeflate,
	"snappy": openSnappy, "x-snappy-framed": openSnappy,
	"lz4": openLZ4,
}

// limited closes a pooled decompressor and bounds what it yields.
type limited struct {
	io.Reader
	release func()
}

func (l limited) Close() error {
	l.release()
	return nil
}

func limit(r io.Reader, n int, release func()) io.ReadCloser {
	return limited{io.LimitReader(r, int64(n)+1), release}
}

var gzips = sync.Pool{New: func() any { return new(gzip.Reader) }}

func openGzip(r io.Reader, n int) (io.ReadCloser, error) {
	z := gzips.Get().(*gzip.Reader)
	if err := z.Reset(r); err != nil {
		return nil, err
	}
	return limit(z, n, func() { gzips.Put(z) }), nil
}

// zstdWindow is how far a zstd stream may refer back, the least that RFC 8878
// recommends decoders to support.
const zstdWindow = 8 << 20

var zstds = sync.Pool{New: func() any {
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(zstdWindow))
	if err != nil {
		panic(err) // the options are constant
	}
	return z
}}

func openZstd(r io.Reader, n int) (io.ReadCloser, error) {
	z := zstds.Get().(*zstd.Decoder)
	if err := z.Reset(r); err != nil {
		return nil, err
	}
	return limit(z, n, func() {
		_ = z.Reset(nil) // lets go of r
		zstds.Put(z)
	}), nil
}

// openDeflate reads zlib, which the name means in HTTP (RFC 9110, 8.4.1.2), or the
// bare deflate that some senders make of it.
func openDeflate(r io.Reader, n int) (io.ReadCloser, error) {
	b := bufio.NewReader(r)
	head, _ := b.Peek(2) // a body that is too short fails below
	if len(head) == 2 && head[0]&0x0f == 8 && (int(head[0])<<8+int(head[1]))%31 == 0 {
		z, err := zlib.NewReader(b)
		if err != nil {
			return nil, err
		}
		return limit(z, n, func() {}), nil
	}
	return limit(flate.NewReader(b), n, func() {}), nil
}

// openLZ4 reads the frame format; its blocks take 4 MiB at most.
func openLZ4(r io.Reader, n int) (io.ReadCloser, error) {
	return limit(lz4.NewReader(r), n, func() {}), nil
}

// snappyFrame begins a stream in snappy's framing format; the block format has none.
const snappyFrame = "\xff\x06\x00\x00sNaPpY"

// openSnappy reads both formats: senders disagree about what the name means.
func openSnappy(r io.Reader, n int) (io.ReadCloser, error) {
	b := bufio.NewReader(r)
	if head, _ := b.Peek(len(snappyFrame)); string(head) == snappyFrame {
		return limit(snappy.NewReader(b), n, func() {}), nil
	}
	block, err := io.ReadAll(io.LimitReader(b, int64(n)+1))
	if err != nil {
		return nil, err
	}
	size, err := snappy.DecodedLen(block)
	if err != nil {
		return nil, err
	}
	if size > n {
		return limit(zeros{}, n, func() {}), nil // too large, without the work
	}
	data, err := snappy.Decode(nil, block)
	if err != nil {
		return nil, err
	}
	return limit(bytes.NewReader(data), n, func() {}), nil
}

// zeros never ends.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
