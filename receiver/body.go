package receiver

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
)

// keptBuffer is the largest buffer that waits for the next request.
const keptBuffer = 1 << 20

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func putBuffer(b *bytes.Buffer) {
	if b.Cap() <= keptBuffer {
		b.Reset()
		buffers.Put(b)
	}
}

// readBody reads and decompresses the body into a buffer that the caller gives
// back. What it takes of memory is part of what is in flight.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request, part *reservation) (*bytes.Buffer, *failure) {
	open, err := coding(r.Header.Values("Content-Encoding"))
	if err != nil {
		return nil, &failure{reason: "unknown content encoding", code: codes.InvalidArgument, http: http.StatusUnsupportedMediaType, message: err.Error()}
	}
	if r.ContentLength > int64(s.settings.MaxRequestBytes) {
		return nil, tooLarge(s.settings.MaxRequestBytes)
	}
	b := buffers.Get().(*bytes.Buffer)
	if err := s.fill(b, r, open, part); err != nil {
		putBuffer(b)
		return nil, s.unreadableBody(err)
	}
	// The context would end when the deadline passes, however long the Sink takes.
	if err := http.NewResponseController(w).SetReadDeadline(time.Time{}); err != nil {
		return nil, unavailable(err)
	}
	return b, nil
}

// errTooLarge stops a body at the limit.
var errTooLarge = errors.New("larger than the limit")

// corruptError is a body that does not decompress.
type corruptError struct{ error }

func (e corruptError) Unwrap() error { return e.error }

func (s *Server) fill(b *bytes.Buffer, r *http.Request, open opener, part *reservation) error {
	most := s.settings.MaxRequestBytes
	wire := &io.LimitedReader{R: r.Body, N: int64(most) + 1}
	err := decompress(b, wire, open, most, func(plain io.Reader) io.Reader {
		return &metered{Reader: plain, ctx: r.Context(), part: part, most: most}
	})
	if wire.N == 0 || b.Len() > most {
		return errTooLarge
	}
	return err
}

// decompress reads at most one byte more than limit into b. What it reads passes
// through count.
func decompress(b *bytes.Buffer, wire io.Reader, open opener, limit int, count func(io.Reader) io.Reader) error {
	if open == nil {
		_, err := b.ReadFrom(count(wire))
		return err
	}
	z, err := open(wire, limit)
	if err != nil {
		return corruptError{err}
	}
	defer func() { _ = z.Close() }() // only gives the decompressor back
	if _, err := b.ReadFrom(count(z)); err != nil {
		return corruptError{err}
	}
	return nil
}

func (s *Server) unreadableBody(err error) *failure {
	var corrupt corruptError
	switch {
	case errors.Is(err, errTooLarge):
		return tooLarge(s.settings.MaxRequestBytes)
	case errors.Is(err, errBusy), errors.Is(err, context.Canceled):
		return unavailable(err)
	case errors.As(err, &corrupt):
		return invalid("corrupt compression", "decompress the body: "+err.Error())
	}
	return invalid("truncated request", "read the body: "+err.Error())
}
