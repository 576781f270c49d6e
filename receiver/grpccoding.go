package receiver

import (
	"io"
	"math"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"google.golang.org/grpc/encoding"
)

// grpcCoding offers a coding to grpc-go, whose registry is global: a program that
// brings its own compressor of that name keeps it.
type grpcCoding struct {
	name     string
	open     opener
	compress func(io.Writer) (io.WriteCloser, error)
}

func init() {
	for _, c := range []grpcCoding{
		{"gzip", openGzip, compressGzip},
		{"zstd", openZstd, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1)) }},
		{"deflate", openDeflate, func(w io.Writer) (io.WriteCloser, error) { return zlib.NewWriter(w), nil }},
		{"snappy", openSnappy, func(w io.Writer) (io.WriteCloser, error) { return snappy.NewBufferedWriter(w), nil }},
	} {
		if encoding.GetCompressor(c.name) == nil {
			encoding.RegisterCompressor(c)
		}
	}
}

func (c grpcCoding) Name() string { return c.name }

func (c grpcCoding) Compress(w io.Writer) (io.WriteCloser, error) { return c.compress(w) }

// Decompress leaves the limit to grpc-go, which stops reading there. It hides that r
// reads single bytes, which decompressors would do, at twice the cost.
func (c grpcCoding) Decompress(r io.Reader) (io.Reader, error) {
	return c.open(struct{ io.Reader }{r}, math.MaxInt32)
}

var gzipWriters = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// gzipWriter goes back to the pool when it is closed: a new one costs a megabyte.
type gzipWriter struct{ *gzip.Writer }

func compressGzip(w io.Writer) (io.WriteCloser, error) {
	z := gzipWriters.Get().(*gzip.Writer)
	z.Reset(w)
	return gzipWriter{z}, nil
}

func (z gzipWriter) Close() error {
	err := z.Writer.Close()
	gzipWriters.Put(z.Writer)
	return err
}
