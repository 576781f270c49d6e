package receiver

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// TLSFiles are the PEM files of an endpoint that speaks TLS. The zero value is none.
type TLSFiles struct {
	Cert, Key string // the endpoint's own certificate, with its chain, and its key
	ClientCA  string // who signs the certificates that senders must show; "": nobody must
}

// Config reads the files. It is nil for the zero value.
func (f TLSFiles) Config() (*tls.Config, error) {
	if f == (TLSFiles{}) {
		return nil, nil
	}
	if f.Cert == "" || f.Key == "" {
		return nil, errors.New("TLS needs a certificate and its key")
	}
	pair, err := tls.LoadX509KeyPair(f.Cert, f.Key)
	if err != nil {
		return nil, fmt.Errorf("read the TLS certificate %s and its key %s: %w", f.Cert, f.Key, err)
	}
	c := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	if f.ClientCA == "" {
		return c, nil
	}
	pem, err := os.ReadFile(f.ClientCA)
	if err != nil {
		return nil, fmt.Errorf("read the CA of senders: %w", err)
	}
	c.ClientCAs, c.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
	if !c.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read the CA of senders: %s holds no PEM certificate", f.ClientCA)
	}
	return c, nil
}

// negotiating returns c with the protocols to agree on: gRPC clients offer HTTP/2
// alone, while one that would also speak HTTP/1.1 sends OTLP/HTTP, which is served
// by that.
func negotiating(c *tls.Config) *tls.Config {
	http1, http2 := c.Clone(), c.Clone()
	http1.NextProtos, http2.NextProtos = []string{"http/1.1"}, []string{"h2"}
	choosing := http2.Clone()
	choosing.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if slices.Contains(hello.SupportedProtos, "http/1.1") {
			return http1, nil
		}
		return http2, nil
	}
	return choosing
}

// handshakeHint tells the owner of a sender why the handshake failed.
func handshakeHint(address string, err error) string {
	advice := "is its endpoint meant to be this one?"
	switch text := err.Error(); {
	case strings.Contains(text, "didn't provide a certificate"):
		advice = "set OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_CLIENT_KEY"
	case strings.Contains(text, "failed to verify certificate"):
		advice = "its client certificate is not signed by the CA that this endpoint trusts"
	case strings.Contains(text, "bad certificate"), strings.Contains(text, "unknown certificate authority"):
		advice = "it does not trust this endpoint's certificate: set OTEL_EXPORTER_OTLP_CERTIFICATE to the CA that signed it"
	}
	return fmt.Sprintf("the TLS handshake with %s failed: %v; %s", address, err, advice)
}
