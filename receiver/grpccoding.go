package receiver

import (
	"io"
	"math"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/gzip" // registers gzip
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

// Decompress leaves the limit to grpc-go, which stops reading there.
func (c grpcCoding) Decompress(r io.Reader) (io.Reader, error) { return c.open(r, math.MaxInt32) }
