package receiver

import (
	"fmt"
	"net/http"
	"path"
	"time"
)

// Defaults of Settings.
const (
	DefaultAddress         = "127.0.0.1:0"
	DefaultMaxRequestBytes = 64 << 20
	DefaultGrace           = 5 * time.Second
)

// Settings of a server. The zero value works: it listens on two free ports of the
// loopback interface.
type Settings struct {
	// GRPC and HTTP are the addresses to listen on, host:port; both protocols are
	// served on both. Empty: [DefaultAddress]. If they are equal and name a port,
	// it is opened once.
	GRPC, HTTP string

	// MaxRequestBytes bounds a request, also after decompression. 0: 64 MiB.
	MaxRequestBytes int

	// Grace is how long Shutdown lets requests that are under way come to an end.
	// 0: 5 seconds.
	Grace time.Duration

	// Handler serves the HTTP paths that are not OTLP's. Its request contexts end
	// when Shutdown begins. Nil: they are not found.
	Handler http.Handler

	// CORSOrigins are the origins whose pages may export spans from a browser. "*"
	// is any; elsewhere * stands for any characters but a slash, as in
	// "http://localhost:*". Empty: none.
	CORSOrigins []string

	// Warn is told, once each, what senders seem to have configured wrong, in a
	// sentence for their owner. It may be called from many goroutines. Nil: nobody is.
	Warn func(hint string)

	// Now is the clock that stamps batches. Nil: time.Now.
	Now func() time.Time
}

func (s Settings) withDefaults() (Settings, error) {
	s.GRPC = or(s.GRPC, DefaultAddress)
	s.HTTP = or(s.HTTP, DefaultAddress)
	s.MaxRequestBytes = or(s.MaxRequestBytes, DefaultMaxRequestBytes)
	s.Grace = or(s.Grace, DefaultGrace)
	if s.Warn == nil {
		s.Warn = func(string) {}
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	if s.MaxRequestBytes < 0 {
		return s, fmt.Errorf("receiver: MaxRequestBytes is %d, want a positive number", s.MaxRequestBytes)
	}
	for _, origin := range s.CORSOrigins {
		if _, err := path.Match(origin, ""); err != nil {
			return s, fmt.Errorf("receiver: CORS origin %q: %w", origin, err)
		}
	}
	return s, nil
}

func or[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}
