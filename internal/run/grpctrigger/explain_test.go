package grpctrigger

import (
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/followspan/followspan/internal/run"
)

// listen accepts connections until the test ends, and closes each after talk.
func listen(t *testing.T, talk func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			open.Go(func() {
				talk(conn)
				_ = conn.Close()
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		open.Wait()
	})
	return listener.Addr().String()
}

// refusing returns an address on which nothing listens.
func refusing(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	return listener.Addr().String()
}

func TestTargetsThatDoNotAnswer(t *testing.T) {
	nobody, silent := refusing(t), listen(t, func(net.Conn) {})
	plain := openShop(t, unexpected(t), nil).address
	http1 := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(http1.Close)
	http2 := httptest.NewUnstartedServer(http.NotFoundHandler())
	http2.EnableHTTP2 = true
	http2.StartTLS()
	t.Cleanup(http2.Close)
	secure := httptest.NewUnstartedServer(nil)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	host := func(s *httptest.Server) string { return s.Listener.Addr().String() }
	trusted := openShop(t, unexpected(t), nil, grpc.Creds(credentials.NewServerTLSFromCert(&secure.TLS.Certificates[0]))).address
	elsewhere := "localhost" + strings.TrimPrefix(trusted, "127.0.0.1")

	for _, test := range []struct{ reason, target, class, want string }{
		{"nobody there", nobody, "connection_refused", "nothing listens on " + nobody + " (is the system started, and is this its port?)"},
		{"nobody there with TLS", "grpcs://" + nobody, "connection_refused", "nothing listens on " + nobody},
		{"unknown host", "no-such-host.invalid:1", "name_resolution", `no host is found under the name "no-such-host.invalid" (check the spelling; `},
		{"hangs up", silent, "connect", silent + " does not speak gRPC in plaintext (with TLS the target is grpcs://" + silent + ")"},
		{"HTTP/1", host(http1), "connect", host(http1) + " does not speak gRPC in plaintext"},
		{"TLS without HTTP/2", "grpcs://" + host(secure), "tls", "no TLS with " + host(secure) + ": "},
		{"TLS, but called in plaintext", host(secure), "connect", host(secure) + " does not speak gRPC in plaintext (with TLS"},
		{"HTTP/2, but no gRPC", "grpcs://" + host(http2), "protocol", host(http2) + " gave no usable answer: unexpected HTTP status code received from server: 404 (Not Found)"},
		{"no TLS", "grpcs://" + plain, "tls", plain + " speaks no TLS (grpc://" + plain + ")"},
		{"another name", "grpcs://" + elsewhere, "tls", "the certificate of " + elsewhere + " is not trusted: x509: "},
		{"another scheme", "ftp://h:1", "invalid_request", `"ftp://h:1" is no target: "ftp" is neither grpc nor grpcs (host:port is plaintext, grpcs://host:port is TLS)`},
		{"no port", "localhost", "invalid_request", `"localhost" is no target: missing port in address (host:port, such as 127.0.0.1:9090)`},
		{"bad port", "h:x", "invalid_request", `"h:x" is no target: "x" is no port`},
		{"a port too high", "h:65536", "invalid_request", `"h:65536" is no target: "65536" is no port`},
		{"no host", ":9090", "invalid_request", `":9090" is no target: it names no host (127.0.0.1:9090)`},
		{"a path", "grpc://h:1/shop.Checkout", "invalid_request", `"grpc://h:1/shop.Checkout" is no target: it is more than a host and a port`},
		{"a name that stayed open", "${api}", "invalid_request", `"${api}" is no target: missing port`},
	} {
		t.Run(test.reason, func(t *testing.T) {
			wantError(t, perform(t, run.GRPCCall{Target: test.target}), test.class, test.want)
		})
	}
}

func TestUnreachable(t *testing.T) {
	p := peer{target{"h", "1", false}, DefaultTimeout}
	secure := peer{target{"h", "1", true}, DefaultTimeout}
	for _, test := range []struct {
		reason string
		peer   peer
		err    error
		want   string
	}{
		{"no way there", p, &net.OpError{Op: "dial", Err: errors.New("no route to host")}, "cannot connect to h:1: no route to host"},
		{"another error", p, errDialed, "cannot connect to h:1: the connection is lost"},
		{"TLS, but then no HTTP/2", secure, nil, "h:1 does not speak gRPC"},
	} {
		if e := test.peer.unreachable(t.Context(), test.err); e.Class != "connect" || e.Error() != test.want {
			t.Errorf("%s: got %s: %v, want %s", test.reason, e.Class, e, test.want)
		}
	}
}

func TestTLS(t *testing.T) {
	like := httptest.NewTLSServer(nil)
	t.Cleanup(like.Close)
	s := openShop(t, echo, reflecting(t), grpc.Creds(credentials.NewServerTLSFromCert(&like.TLS.Certificates[0])))
	for _, target := range []string{"grpcs://" + s.address, "https://" + s.address + "/"} {
		if p := perform(t, run.GRPCCall{Target: target}); p.Err != nil {
			t.Errorf("%s: %v", target, p.Err)
		}
	}
}

func TestCallsThatAreNotMade(t *testing.T) {
	s := openShop(t, unexpected(t), reflecting(t)).address
	silent := openShop(t, unexpected(t), nil).address
	closed := openShop(t, unexpected(t), reflecting(t), grpc.StreamInterceptor(forbidden)).address
	partial := openShop(t, unexpected(t), (&reticent{set: shopSet(t), hidden: "shop/item.proto"}).register).address
	secretive := openShop(t, unexpected(t), (&reticent{set: shopSet(t), hidden: "shop/checkout.proto"}).register).address
	file, empty := descriptorFile(t, shopSet(t)), descriptorFile(t, &descriptorpb.FileDescriptorSet{})
	cut := descriptorFile(t, &descriptorpb.FileDescriptorSet{File: shopSet(t).File[1:]})
	missing := filepath.Join(t.TempDir(), "none.binpb")

	for _, test := range []struct {
		reason string
		call   run.GRPCCall
		want   string
	}{
		{"no such method", run.GRPCCall{Target: s, Method: "shop.Checkout/Plaec"}, `the service shop.Checkout has no method "Plaec" (did you mean shop.Checkout/Place?)`},
		{"nothing like it", run.GRPCCall{Target: s, Method: "shop.Checkout/Refund"}, `the service shop.Checkout has no method "Refund" (it has Place, Watch)`},
		{"no such service", run.GRPCCall{Target: s, Method: "shop.Chekcout/Place"}, "there is no service shop.Chekcout (did you mean shop.Checkout/Place?)"},
		{"without its package", run.GRPCCall{Target: s, Method: "Checkout/Place"}, "there is no service Checkout (did you mean shop.Checkout/Place?)"},
		{"another service", run.GRPCCall{Target: s, Method: "bank.Loans/Grant"}, "there is no service bank.Loans (there is shop.Checkout, shop.Returns)"},
		{"a message is no service", run.GRPCCall{Target: s, Method: "shop.Order/Place"}, "there is no service shop.Order (there is shop.Checkout, shop.Returns)"},
		{"a stream", run.GRPCCall{Target: s, Method: "shop.Checkout/Watch"}, "shop.Checkout/Watch is a streaming method (a trigger makes unary calls only; a command can do the others)"},
		{"dots only", run.GRPCCall{Target: s, Method: "shop.Checkout.Place"}, `"shop.Checkout.Place" is no method of a service (did you mean shop.Checkout/Place?)`},
		{"no method", run.GRPCCall{Target: s, Method: "shop.Checkout/"}, `"shop.Checkout/" is no method of a service (package.Service/Method)`},
		{"a misfit", run.GRPCCall{Target: s, Message: []byte(`{"count":"two"}`)}, `the JSON does not fit the message shop.Order: count wants int32, not "two"`},
		{"no reflection", run.GRPCCall{Target: silent}, silent + " does not offer server reflection (give the trigger `descriptors:` with a file; protoc "},
		{"reflection for some only", run.GRPCCall{Target: closed}, "server reflection ended with PERMISSION_DENIED: staff only (give the trigger `descriptors:`"},
		{"a file is missing", run.GRPCCall{Target: partial}, "server reflection has no file shop/item.proto, which shop/checkout.proto imports (give"},
		{"not described", run.GRPCCall{Target: secretive}, "server reflection does not describe shop.Checkout: not here (give"},
		{"no file", run.GRPCCall{Target: s, Descriptors: missing}, "read the descriptors: open " + missing},
		{"another file", run.GRPCCall{Target: s, Descriptors: "grpctrigger.go"}, "grpctrigger.go holds no descriptors (protoc --include_imports"},
		{"an empty file", run.GRPCCall{Target: s, Descriptors: empty}, empty + " holds no descriptors"},
		{"an import is missing", run.GRPCCall{Target: s, Descriptors: cut}, "the descriptors in " + cut + ` are not complete: could not resolve import "shop/item.proto": not found (protoc --include_imports`},
		{"not in the file", run.GRPCCall{Target: s, Descriptors: file, Method: "shop.Stock/Take"}, "there is no service shop.Stock (there is shop.Checkout, shop.Returns)"},
		{"a misfit by the file", run.GRPCCall{Target: s, Descriptors: file, Message: []byte(`[]`)}, `the JSON does not fit the message shop.Order: it wants an object`},
		{"metadata of gRPC", run.GRPCCall{Target: s, Metadata: map[string][]string{"Grpc-Timeout": {"1S"}}}, `the metadata "Grpc-Timeout" is set by gRPC itself`},
		{"a bad name", run.GRPCCall{Target: s, Metadata: map[string][]string{"a b": {""}}}, `the metadata "a b" has a name with other signs than letters, digits and -_.`},
		{"no name", run.GRPCCall{Target: s, Metadata: map[string][]string{"": {""}}}, `the metadata "" has no name`},
		{"a sign", run.GRPCCall{Target: s, Metadata: map[string][]string{"user": {"José"}}}, `the value of the metadata "user" has the sign 'é', but only printable ASCII may travel`},
		{"no base64", run.GRPCCall{Target: s, Metadata: map[string][]string{"user-bin": {"*"}}}, `the value of the metadata "user-bin" is not base64`},
	} {
		t.Run(test.reason, func(t *testing.T) {
			wantError(t, perform(t, test.call), "invalid_request", test.want)
		})
	}
}
