package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/followspan/followspan/receiver"
)

// endpointFlags are the flags of an OTLP endpoint that stands on its own.
type endpointFlags struct {
	grpc, http    string
	cors          []string
	tokenFile     string
	tls           receiver.TLSFiles
	maxRequest    string
	maxInFlight   string
	maxRequests   int
	maxConns      int
	maxAttributes int
	maxEvents     int
	maxElements   int
	maxObjects    int
	maxNesting    int
	readTimeout   time.Duration
	retryAfter    time.Duration
	withoutAdvice bool
}

// The ports that SDKs send to unless told otherwise (OTLP 1.x, "Default Port").
const (
	standardGRPC = "127.0.0.1:4317"
	standardHTTP = "127.0.0.1:4318"
)

func (e *endpointFlags) bind(f *pflag.FlagSet) {
	f.StringVar(&e.grpc, "listen-grpc", standardGRPC, "`address` for OTLP, meant for gRPC (both ports take both protocols); port 0 is a free one")
	f.StringVar(&e.http, "listen-http", standardHTTP, "`address` for OTLP, meant for HTTP")
	f.StringVar(&e.tls.Cert, "tls-cert", "", "speak TLS with the certificate in this PEM `file`")
	f.StringVar(&e.tls.Key, "tls-key", "", "the `file` with the certificate's key")
	f.StringVar(&e.tls.ClientCA, "tls-client-ca", "", "ask senders for a certificate that the CA in this `file` signed")
	f.StringVar(&e.tokenFile, "token-file", "", "ask senders for the bearer token in this `file`")
	f.StringArrayVar(&e.cors, "cors", []string{"*"}, "`origin` whose pages may send spans from a browser; repeatable, \"\" for none")
	f.StringVar(&e.maxRequest, "max-request", formatSize(receiver.DefaultMaxRequestBytes), "the largest OTLP request, after decompression")
	f.StringVar(&e.maxInFlight, "max-in-flight", formatSize(receiver.DefaultMaxInFlightBytes), "the size of all requests together that are being read or decoded")
	f.IntVar(&e.maxRequests, "max-requests", receiver.DefaultMaxRequests, "how many requests may be under way; exporters are told to retry beyond it")
	f.IntVar(&e.maxConns, "max-connections", receiver.DefaultMaxConnections, "how many connections may be open; further ones are closed")
	f.IntVar(&e.maxAttributes, "max-attributes", receiver.DefaultMaxAttributes, "attributes of a span, its events and links; others are rejected")
	f.IntVar(&e.maxEvents, "max-events", receiver.DefaultMaxEvents, "events of a span, and likewise links")
	f.IntVar(&e.maxElements, "max-elements", receiver.DefaultMaxElements, "attributes, events and links of a request")
	f.IntVar(&e.maxObjects, "max-objects", receiver.DefaultMaxObjects, "objects of a request in JSON")
	f.IntVar(&e.maxNesting, "max-nesting", receiver.DefaultMaxNesting, "how deep lists and maps may nest in a value, at most the default")
	f.DurationVar(&e.readTimeout, "read-timeout", receiver.DefaultReadTimeout, "how long a sender may take for a handshake, a header or a body")
	f.DurationVar(&e.retryAfter, "retry-after", receiver.DefaultRetryAfter, "how long exporters are told to wait before they retry")
	f.BoolVar(&e.withoutAdvice, "no-advice", false, "keep advice out of the answers, such as that spans arrive late")
}

// settings reads the flags and the files that they name.
func (e *endpointFlags) settings() (s receiver.Settings, err error) {
	s = receiver.Settings{GRPC: e.grpc, HTTP: e.http, RetryAfter: e.retryAfter, ReadTimeout: e.readTimeout, NoAdvice: e.withoutAdvice}
	for _, origin := range e.cors {
		if origin != "" {
			s.CORSOrigins = append(s.CORSOrigins, origin)
		}
	}
	if err := e.limits(&s); err != nil {
		return s, err
	}
	if s.Token, err = readToken(e.tokenFile); err != nil {
		return s, err
	}
	if s.TLS, err = e.tls.Config(); err != nil {
		return s, fmt.Errorf("%w (--tls-cert, --tls-key, --tls-client-ca)", err)
	}
	return s, s.Validate()
}

func (e *endpointFlags) limits(s *receiver.Settings) error {
	for _, size := range []struct {
		flag, value string
		to          *int
	}{{"max-request", e.maxRequest, &s.MaxRequestBytes}, {"max-in-flight", e.maxInFlight, &s.MaxInFlightBytes}} {
		n, err := parseSize(size.value)
		if err != nil {
			return fmt.Errorf("--%s: %w", size.flag, err)
		}
		*size.to = int(n)
	}
	if s.MaxInFlightBytes < s.MaxRequestBytes {
		return fmt.Errorf("--max-in-flight %s: want at least --max-request, %s", e.maxInFlight, e.maxRequest)
	}
	for _, limit := range []struct {
		flag  string
		value int
		to    *int
	}{
		{"max-requests", e.maxRequests, &s.MaxRequests}, {"max-connections", e.maxConns, &s.MaxConnections},
		{"max-attributes", e.maxAttributes, &s.MaxAttributes}, {"max-events", e.maxEvents, &s.MaxEvents},
		{"max-elements", e.maxElements, &s.MaxElements}, {"max-objects", e.maxObjects, &s.MaxObjects},
		{"max-nesting", e.maxNesting, &s.MaxNesting},
	} {
		if limit.value < 1 {
			return fmt.Errorf("--%s %d: want at least 1", limit.flag, limit.value)
		}
		*limit.to = limit.value
	}
	if e.readTimeout <= 0 || e.retryAfter <= 0 {
		return errors.New("--read-timeout and --retry-after: want a positive duration such as 10s")
	}
	return nil
}

func readToken(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("--token-file: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if token == "" {
		return "", fmt.Errorf("--token-file %s: the file is empty", file)
	}
	return token, nil
}

// setup is what to tell the owners of services, by gRPC.
func (e *endpointFlags) setup(s *receiver.Server) receiver.Setup {
	return receiver.Setup{Endpoint: s.GRPCEndpoint(), Protocol: "grpc", Certificate: e.tls.Cert, TokenFile: e.tokenFile}
}
