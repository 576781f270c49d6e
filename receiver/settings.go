package receiver

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"path"
	"time"

	"github.com/followspan/followspan/internal/otlp"
)

// Defaults of Settings.
const (
	DefaultAddress          = "127.0.0.1:0"
	DefaultMaxRequestBytes  = 64 << 20
	DefaultMaxInFlightBytes = 1 << 30
	DefaultMaxRequests      = 1000
	DefaultMaxConnections   = 1000
	DefaultMaxAttributes    = otlp.DefaultAttributes
	DefaultMaxEvents        = otlp.DefaultEvents
	DefaultMaxElements      = otlp.DefaultElements
	DefaultMaxObjects       = otlp.DefaultObjects
	DefaultMaxNesting       = otlp.DefaultNesting
	DefaultReadTimeout      = 10 * time.Second
	DefaultRetryAfter       = time.Second
	DefaultGrace            = 5 * time.Second
)

// Settings of a server. The zero value works: it listens on two free ports of the
// loopback interface. A limit of 0 is the default that is named with it.
type Settings struct {
	// GRPC and HTTP are the addresses to listen on, host:port; both protocols are
	// served on both. Empty: [DefaultAddress]. If they are equal and name a port,
	// it is opened once.
	GRPC, HTTP string

	// TLS makes both ports speak TLS and nothing else; ClientAuth and ClientCAs in
	// it ask for certificates of senders. See [TLSFiles]. Nil: no TLS.
	TLS *tls.Config

	// Token must be sent with every request, as "Authorization: Bearer <token>".
	// Empty: none is asked for.
	Token string

	// MaxRequestBytes bounds a request on its way and again after decompression;
	// a larger one is refused for good. 64 MiB.
	MaxRequestBytes int

	// MaxInFlightBytes bounds the bytes of all requests that are being read or
	// decoded. A gRPC request counts as MaxRequestBytes until it is read, and when
	// it is compressed its compressed bytes come on top. Senders wait for a moment,
	// then those lose their connection who do not finish what they began, and at
	// last senders are told to retry. 1 GiB.
	MaxInFlightBytes int

	// MaxRequests bounds how many requests are under way; senders of others are
	// told to retry. 1000.
	MaxRequests int

	// MaxConnections bounds the open connections; further ones are closed. 1000.
	MaxConnections int

	// MaxAttributes and MaxEvents bound the attributes of a span, those of its events
	// and links included, and its events, and its links. A span beyond them is
	// rejected while the rest of its request is kept. 65,536 and 16,384.
	MaxAttributes, MaxEvents int

	// MaxElements bounds the attributes, events and links of a whole request, and
	// MaxObjects the objects of one in JSON: small ones take much more memory than
	// they have bytes. 4,194,304 and 2,097,152.
	MaxElements, MaxObjects int

	// MaxNesting bounds how deep lists and maps may nest in a value, to at most the
	// default. 100.
	MaxNesting int

	// ReadTimeout bounds how long a sender may take for each step: the first bytes
	// of a connection, its TLS handshake, the header of a request, its body. SDKs
	// give up as soon. 10 seconds.
	ReadTimeout time.Duration

	// RetryAfter is how long senders are asked to wait before they try again,
	// rounded up to seconds where HTTP says it. 1 second.
	RetryAfter time.Duration

	// Grace is how long Shutdown lets requests that are under way come to an end.
	// 5 seconds.
	Grace time.Duration

	// Routes serve further HTTP requests, by patterns of [http.ServeMux] such as
	// "GET /api/traces/{traceID}". The contexts of their requests end when Shutdown
	// begins. A pattern that ServeMux refuses makes Start panic.
	Routes map[string]http.Handler

	// CORSOrigins are the origins whose pages may export spans from a browser. "*"
	// is any; elsewhere * stands for any characters but a slash, as in
	// "http://localhost:*". Empty: none.
	CORSOrigins []string

	// NoAdvice keeps advice out of the answers. Otherwise the answer to a sender
	// that was served all the same says, once, what should be set up differently.
	NoAdvice bool

	// Warn is told, once each, what senders seem to have configured wrong, in a
	// sentence for their owner. It may be called from many goroutines. Nil: nobody is.
	Warn func(hint string)

	// Now is the clock that stamps batches. Nil: time.Now.
	Now func() time.Time
}

// Validate says what is wrong with the settings, as Start would, apart from what
// only listening shows.
func (s Settings) Validate() error {
	_, err := s.withDefaults()
	return err
}

func (s Settings) withDefaults() (Settings, error) {
	s.GRPC = or(s.GRPC, DefaultAddress)
	s.HTTP = or(s.HTTP, DefaultAddress)
	s.MaxRequestBytes = or(s.MaxRequestBytes, DefaultMaxRequestBytes)
	s.MaxInFlightBytes = or(s.MaxInFlightBytes, max(DefaultMaxInFlightBytes, s.MaxRequestBytes))
	s.MaxRequests = or(s.MaxRequests, DefaultMaxRequests)
	s.MaxConnections = or(s.MaxConnections, DefaultMaxConnections)
	s.MaxAttributes = or(s.MaxAttributes, DefaultMaxAttributes)
	s.MaxEvents = or(s.MaxEvents, DefaultMaxEvents)
	s.MaxElements = or(s.MaxElements, DefaultMaxElements)
	s.MaxObjects = or(s.MaxObjects, DefaultMaxObjects)
	s.MaxNesting = or(s.MaxNesting, DefaultMaxNesting)
	s.ReadTimeout = or(s.ReadTimeout, DefaultReadTimeout)
	s.RetryAfter = or(s.RetryAfter, DefaultRetryAfter)
	s.Grace = or(s.Grace, DefaultGrace)
	if s.Warn == nil {
		s.Warn = func(string) {}
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	return s, s.check()
}

func (s Settings) check() error {
	for _, limit := range []struct {
		name  string
		value int
	}{
		{"MaxRequestBytes", s.MaxRequestBytes}, {"MaxInFlightBytes", s.MaxInFlightBytes},
		{"MaxRequests", s.MaxRequests}, {"MaxConnections", s.MaxConnections},
		{"MaxAttributes", s.MaxAttributes}, {"MaxEvents", s.MaxEvents}, {"MaxElements", s.MaxElements},
		{"MaxObjects", s.MaxObjects}, {"MaxNesting", s.MaxNesting},
		{"ReadTimeout", int(s.ReadTimeout)}, {"RetryAfter", int(s.RetryAfter)}, {"Grace", int(s.Grace)},
	} {
		if limit.value < 0 {
			return fmt.Errorf("receiver: %s is %d, want a positive number", limit.name, limit.value)
		}
	}
	if s.MaxInFlightBytes < s.MaxRequestBytes {
		return fmt.Errorf("receiver: MaxInFlightBytes is %d, want at least MaxRequestBytes, %d", s.MaxInFlightBytes, s.MaxRequestBytes)
	}
	if s.MaxNesting > DefaultMaxNesting {
		return fmt.Errorf("receiver: MaxNesting is %d, want at most %d", s.MaxNesting, DefaultMaxNesting)
	}
	for _, origin := range s.CORSOrigins {
		if _, err := path.Match(origin, ""); err != nil {
			return fmt.Errorf("receiver: CORS origin %q: %w", origin, err)
		}
	}
	return nil
}

// decoding is the part of the settings that the decoder keeps.
func (s Settings) decoding() otlp.Limits {
	return otlp.Limits{Nesting: s.MaxNesting, Attributes: s.MaxAttributes, Events: s.MaxEvents, Elements: s.MaxElements, Objects: s.MaxObjects}
}

func or[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}
