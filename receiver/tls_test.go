package receiver_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/followspan/followspan/receiver"
)

// authority signs certificates for a test.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string
}

func newAuthority(t *testing.T) *authority {
	a := &authority{dir: t.TempDir()}
	a.cert, a.key = a.issue(t, "ca", nil)
	a.file = filepath.Join(a.dir, "ca.pem")
	return a
}

// issue writes name.pem and name.key; without a parent the certificate signs itself.
func (a *authority) issue(t *testing.T, name string, parent *authority) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	fatal(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:        parent == nil, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	signer, signerKey := template, key
	if parent != nil {
		signer, signerKey = parent.cert, parent.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer, &key.PublicKey, signerKey)
	fatal(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	fatal(t, err)
	base := filepath.Join(a.dir, name)
	fatal(t, os.WriteFile(base+".pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	fatal(t, os.WriteFile(base+".key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	cert, err := x509.ParseCertificate(der)
	fatal(t, err)
	return cert, key
}

func fatal(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// pair issues a certificate and reads it as one side of a connection does.
func (a *authority) pair(t *testing.T, name string) tls.Certificate {
	t.Helper()
	a.issue(t, name, a)
	pair, err := tls.LoadX509KeyPair(filepath.Join(a.dir, name+".pem"), filepath.Join(a.dir, name+".key"))
	fatal(t, err)
	return pair
}

func (a *authority) trusting(own ...tls.Certificate) *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return &tls.Config{RootCAs: pool, Certificates: own}
}

// overTLS exports a span by every client that knows TLS in another way.
func overTLS(t *testing.T, s *receiver.Server, c *tls.Config) map[string]error {
	t.Helper()
	results := map[string]error{}
	conn, err := grpc.NewClient(s.HTTPAddr().String(), grpc.WithTransportCredentials(credentials.NewTLS(c.Clone())))
	fatal(t, err)
	defer conn.Close()
	_, results["gRPC"] = ptraceotlp.NewGRPCClient(conn).Export(t.Context(), batch(0, 1))
	for name, transport := range map[string]*http.Transport{
		"HTTP/1.1":                    {TLSClientConfig: c.Clone()},
		"HTTP that would take HTTP/2": {TLSClientConfig: c.Clone(), ForceAttemptHTTP2: true},
	} {
		client := http.Client{Transport: transport}
		res, err := client.Post(s.GRPCEndpoint()+"/v1/traces", protobufType, strings.NewReader(inProtobuf(t, batch(1, 1))))
		if err == nil {
			res.Body.Close()
		}
		client.CloseIdleConnections()
		results[name] = err
	}
	return results
}

func TestTLS(t *testing.T) {
	a := newAuthority(t)
	a.pair(t, "server")
	config, err := receiver.TLSFiles{Cert: filepath.Join(a.dir, "server.pem"), Key: filepath.Join(a.dir, "server.key")}.Config()
	fatal(t, err)
	warned := make(chan string, 10)
	sink := &memory{}
	s := start(t, receiver.Settings{TLS: config, Warn: func(h string) { warned <- h }}, sink)
	if !strings.HasPrefix(s.HTTPEndpoint(), "https://") {
		t.Errorf("endpoint %s", s.HTTPEndpoint())
	}
	for client, err := range overTLS(t, s, a.trusting()) {
		if err != nil {
			t.Errorf("%s: %v", client, err)
		}
	}
	wantSpans(t, sink, 3)
	for client, err := range overTLS(t, s, newAuthority(t).trusting()) {
		if err == nil {
			t.Errorf("%s trusts a stranger", client)
		}
	}
	if hint := <-warned; !strings.Contains(hint, "OTEL_EXPORTER_OTLP_CERTIFICATE") {
		t.Errorf("warned %q", hint)
	}
}

// Plain text to an endpoint that speaks TLS is told so.
func TestTLSWanted(t *testing.T) {
	a := newAuthority(t)
	warned := make(chan string, 10)
	s := start(t, receiver.Settings{TLS: &tls.Config{Certificates: []tls.Certificate{a.pair(t, "server")}}, Warn: func(h string) { warned <- h }}, &memory{})
	c := dial(t, s.HTTPAddr())
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\n"); err != nil {
		t.Fatal(err)
	}
	answer, _ := io.ReadAll(c) // the connection may end with a reset
	if !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") || !strings.Contains(string(answer), "use https://") {
		t.Errorf("answer %q", answer)
	}
	if hint := <-warned; !strings.Contains(hint, "use an https:// endpoint") {
		t.Errorf("warned %q", hint)
	}
	if _, err := exporter(t, s).Export(t.Context(), batch(0, 1)); err == nil {
		t.Error("plain gRPC was accepted")
	}
}

func TestMutualTLS(t *testing.T) {
	a := newAuthority(t)
	a.pair(t, "server")
	config, err := receiver.TLSFiles{Cert: filepath.Join(a.dir, "server.pem"), Key: filepath.Join(a.dir, "server.key"), ClientCA: a.file}.Config()
	fatal(t, err)
	warned := make(chan string, 10)
	sink := &memory{}
	s := start(t, receiver.Settings{TLS: config, Warn: func(h string) { warned <- h }}, sink)
	for client, err := range overTLS(t, s, a.trusting(a.pair(t, "client"))) {
		if err != nil {
			t.Errorf("%s: %v", client, err)
		}
	}
	wantSpans(t, sink, 3)
	for client, err := range overTLS(t, s, a.trusting()) {
		if err == nil {
			t.Errorf("%s was served without a certificate", client)
		}
	}
	if hint := <-warned; !strings.Contains(hint, "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE") {
		t.Errorf("warned %q", hint)
	}
	for client, err := range overTLS(t, s, a.trusting(newAuthority(t).pair(t, "client"))) {
		if err == nil {
			t.Errorf("%s was served with a stranger's certificate", client)
		}
	}
	wantSpans(t, sink, 3)
}

// Half a handshake by the hundred: the server and its end do not mind.
func TestHalfHandshakes(t *testing.T) {
	a := newAuthority(t)
	s := start(t, receiver.Settings{TLS: &tls.Config{Certificates: []tls.Certificate{a.pair(t, "server")}}, MaxConnections: 300}, &memory{})
	for i := range 200 {
		c := dial(t, s.GRPCAddr())
		if _, err := io.WriteString(c, []string{"", "\x16", "\x16\x03\x01\x02\x00\x01", "\x16\x03\x01\x00\x01\xff"}[i%4]); err != nil {
			t.Fatal(err)
		}
		if i%8 >= 4 {
			c.Close()
		}
	}
	for client, err := range overTLS(t, s, a.trusting()) {
		if err != nil {
			t.Errorf("%s: %v", client, err)
		}
	}
}

func TestTLSFilesAreChecked(t *testing.T) {
	a := newAuthority(t)
	a.pair(t, "server")
	cert, key := filepath.Join(a.dir, "server.pem"), filepath.Join(a.dir, "server.key")
	for _, c := range []struct {
		files receiver.TLSFiles
		says  string
	}{
		{receiver.TLSFiles{Cert: cert}, "TLS needs a certificate and its key"},
		{receiver.TLSFiles{ClientCA: cert}, "TLS needs a certificate and its key"},
		{receiver.TLSFiles{Cert: "missing.pem", Key: key}, "missing.pem"},
		{receiver.TLSFiles{Cert: key, Key: cert}, "read the TLS certificate"},
		{receiver.TLSFiles{Cert: cert, Key: key, ClientCA: "missing.pem"}, "missing.pem"},
		{receiver.TLSFiles{Cert: cert, Key: key, ClientCA: key}, "holds no PEM certificate"},
	} {
		if _, err := c.files.Config(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: %v, want %q", c.files, err, c.says)
		}
	}
	if config, err := (receiver.TLSFiles{}).Config(); config != nil || err != nil {
		t.Errorf("no files: %v, %v", config, err)
	}
}
