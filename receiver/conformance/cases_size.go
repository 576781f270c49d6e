package conformance

import (
	"bytes"
	"io"
	"strings"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// packers write the codings by the names that the table has for them.
var packers = map[string]func(io.Writer) io.WriteCloser{
	"gzip":           func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
	"deflate":        func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) },
	"bare deflate":   func(w io.Writer) io.WriteCloser { z, err := flate.NewWriter(w, 6); return must(z, err) },
	"zstd":           func(w io.Writer) io.WriteCloser { z, err := zstd.NewWriter(w); return must(z, err) },
	"snappy":         func(w io.Writer) io.WriteCloser { return snappy.NewBufferedWriter(w) },
	"snappy's block": func(w io.Writer) io.WriteCloser { return &block{to: w} },
	"lz4":            func(w io.Writer) io.WriteCloser { return lz4.NewWriter(w) },
}

// block is snappy without its framing.
type block struct {
	bytes.Buffer
	to io.Writer
}

func (b *block) Close() error {
	_, err := b.to.Write(snappy.Encode(nil, b.Bytes()))
	return err
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // the options are constant
	}
	return v
}

func packed(coding, text string) string {
	var b bytes.Buffer
	w := packers[coding](&b)
	must(io.WriteString(w, text))
	must(0, w.Close())
	return b.String()
}

// tooMuch is larger than what a receiver takes unless it was told otherwise.
const tooMuch = 80 << 20

// bomb is a request of one span whose name is too large.
func bomb() string {
	return inSpan(field(1, traceID), field(2, spanID), field(5, strings.Repeat("x", tooMuch)))
}

// codingCases are about compression.
func codingCases() (all []Case) {
	const section = `Protocol Details: "All server components MUST support"; OTLP/HTTP Request`
	const others = "RFC 9110, 8.4.1; the Collector's confighttp"
	for _, c := range []struct{ what, header, coding, section string }{
		{"gzip", "gzip", "gzip", section},
		{"gzip in upper case", "GZIP", "gzip", "RFC 9110, 8.4.1: codings are case-insensitive"},
		{"zstd", "zstd", "zstd", others},
		{"deflate", "deflate", "deflate", others},
		{"deflate without its zlib format", "deflate", "bare deflate", others},
		{"snappy", "snappy", "snappy", others},
		{"snappy's block format", "snappy", "snappy's block", others},
		{"lz4", "lz4", "lz4", others},
	} {
		all = append(all, overHTTP(c.what, c.section, func(r *Case) {
			r.Header, r.Payload = [][2]string{{"Content-Encoding", c.header}}, packed(c.coding, r.Payload)
		})...)
	}
	for _, c := range []struct {
		what, header, section string
		payload               func(string) string
		want                  Answer
	}{
		{"identity", "identity", "RFC 9110, 12.5.3", strings.Clone, accepted},
		{"two members of gzip", "gzip", "RFC 1952, 2.2", func(s string) string { return packed("gzip", s[:10]) + packed("gzip", s[10:]) }, accepted},
		{"an unknown coding", "br", "All Other Responses; RFC 9110, 15.5.16", strings.Clone, unknown},
		{"gzip that is none", "gzip", "Bad Data", strings.Clone, badData},
		{"half of gzip", "gzip", "Bad Data", func(s string) string { s = packed("gzip", s); return s[:len(s)/2] }, badData},
		{"gzip with a wrong checksum", "gzip", "Bad Data", func(s string) string { s = packed("gzip", s); return s[:len(s)-8] + "xxxx" + s[len(s)-4:] }, badData},
		{"half of zstd", "zstd", "Bad Data", func(s string) string { s = packed("zstd", s); return s[:len(s)-3] }, badData},
	} {
		all = append(all, overHTTP(c.what, c.section, func(r *Case) {
			r.Header, r.Payload, r.Want = [][2]string{{"Content-Encoding", c.header}}, c.payload(r.Payload), c.want
		})...)
	}
	for _, coding := range []string{"gzip", "zstd", "snappy", "deflate"} {
		r := request(GRPC, coding, section, inProtobuf(span()), accepted)
		r.Coding = coding
		all = append(all, r)
	}
	return all
}

// sizeCases are larger than any receiver should take, on their way or behind a
// compression that makes them small.
func sizeCases() (all []Case) {
	const overGRPC, overHTTP = "OTLP/gRPC Request; RESOURCE_EXHAUSTED without RetryInfo is final", "OTLP/HTTP Request: also after decompression"
	large := bomb()
	all = append(all,
		request(GRPC, "too large", overGRPC, large, tooLarge),
		request(Protobuf, "too large", overHTTP, large, tooLarge),
		request(JSON, "too large", overHTTP, span(`"name":"`+strings.Repeat("x", tooMuch)+`"`), tooLarge))
	compressed := request(GRPC, "too large within gzip", overGRPC, large, tooLarge)
	compressed.Coding = "gzip"
	all = append(all, compressed)
	for _, coding := range []string{"gzip", "zstd", "deflate", "snappy", "lz4"} {
		r := request(Protobuf, "too large within "+coding, overHTTP, packed(coding, large), tooLarge)
		r.Header = [][2]string{{"Content-Encoding", coding}}
		all = append(all, r)
	}
	return all
}
