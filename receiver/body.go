package receiver

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
)

// bodyTime is how long a sender may take for the body of a request.
const bodyTime = 30 * time.Second

// keptBuffer is the largest buffer that waits for the next request.
const keptBuffer = 1 << 20

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func putBuffer(b *bytes.Buffer) {
	if b.Cap() <= keptBuffer {
		b.Reset()
		buffers.Put(b)
	}
}

// readBody reads and decompresses the body. The caller gives the buffer back.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request) (*bytes.Buffer, *failure) {
	open, err := coding(r.Header.Get("Content-Encoding"))
	if err != nil {
		return nil, &failure{reason: "unknown content encoding", code: codes.InvalidArgument, http: http.StatusUnsupportedMediaType, message: err.Error()}
	}
	if r.ContentLength > int64(s.settings.MaxRequestBytes) {
		return nil, tooLarge(s.settings.MaxRequestBytes)
	}
	b := buffers.Get().(*bytes.Buffer)
	if err := s.fill(b, r.Body, open); err != nil {
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

func (s *Server) fill(b *bytes.Buffer, body io.Reader, open opener) error {
	most := s.settings.MaxRequestBytes
	wire := &io.LimitedReader{R: body, N: int64(most) + 1}
	read := func() error {
		if open == nil {
			_, err := b.ReadFrom(wire)
			return err
		}
		z, err := open(wire, most)
		if err != nil {
			return corruptError{err}
		}
		defer func() { _ = z.Close() }() // only gives the decompressor back
		if _, err := b.ReadFrom(z); err != nil {
			return corruptError{err}
		}
		return nil
	}
	err := read()
	if wire.N == 0 || b.Len() > most {
		return errTooLarge
	}
	return err
}

func (s *Server) unreadableBody(err error) *failure {
	var corrupt corruptError
	switch {
	case errors.Is(err, errTooLarge):
		return tooLarge(s.settings.MaxRequestBytes)
	case errors.As(err, &corrupt):
		return invalid("corrupt compression", "decompress the body: "+err.Error())
	}
	return invalid("truncated request", "read the body: "+err.Error())
}
