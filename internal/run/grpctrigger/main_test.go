package grpctrigger

import (
	"encoding/pem"
	"net/http/httptest"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// The roots of the system are read once in a process: here they are the certificate
// of package httptest, which is for 127.0.0.1 but not for localhost.
func TestMain(m *testing.M) {
	server := httptest.NewTLSServer(nil)
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	server.Close()
	file, err := os.CreateTemp("", "roots-*.pem")
	if err == nil {
		_, err = file.Write(certificate)
	}
	if err != nil {
		panic(err)
	}
	_ = file.Close()
	_ = os.Setenv("SSL_CERT_FILE", file.Name())
	_ = os.Setenv("SSL_CERT_DIR", os.DevNull)
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.Remove(file.Name())
		os.Exit(code)
	}))
}
