package receiver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"

	"google.golang.org/grpc"
)

// Server is an OTLP endpoint. Its methods may be called concurrently.
type Server struct {
	settings Settings
	sink     Sink
	shards   *shards
	stats    stats
	hints    hints
	gate     *gate
	inFlight *inFlight
	reading  reading
	routes   *http.ServeMux

	grpcAddr, httpAddr net.Addr
	split              *splitter
	grpc               *grpc.Server
	http               *http.Server
	serving            sync.WaitGroup
	life               context.Context // ends when Shutdown begins
	endLife            context.CancelFunc
	shutdown           sync.Once
	shutdownErr        error
}

// Start listens and begins to serve; once it returns, senders can connect. Ctx
// bounds only the start. The caller ends the server with [Server.Shutdown].
func Start(ctx context.Context, settings Settings, sink Sink) (*Server, error) {
	settings, err := settings.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Server{
		settings: settings, sink: sink, shards: newShards(settings.decoding()), routes: newRoutes(settings.Routes),
		gate: newGate(settings.MaxRequests),
	}
	s.inFlight = newInFlight(settings.MaxInFlightBytes, s.cutSlow)
	s.hints.warn = settings.Warn
	listeners, err := s.listen(ctx)
	if err != nil {
		return nil, err
	}
	s.life, s.endLife = context.WithCancel(context.Background())
	s.grpc = s.newGRPC()
	s.http = s.newHTTP()
	s.split = newSplitter(settings, s.hint)
	for _, l := range listeners {
		s.split.serve(l)
	}
	s.serving.Go(func() { _ = s.grpc.Serve(s.split.grpc) }) // both end with their queue
	s.serving.Go(func() { _ = s.http.Serve(s.split.http) })
	return s, nil
}

func (s *Server) listen(ctx context.Context) ([]net.Listener, error) {
	first, err := listen(ctx, s.settings.GRPC)
	if err != nil {
		return nil, err
	}
	s.grpcAddr = first.Addr()
	if _, port, _ := net.SplitHostPort(s.settings.GRPC); s.settings.HTTP == s.settings.GRPC && port != "0" {
		s.httpAddr = s.grpcAddr
		return []net.Listener{first}, nil
	}
	second, err := listen(ctx, s.settings.HTTP)
	if err != nil {
		return nil, errors.Join(err, first.Close())
	}
	s.httpAddr = second.Addr()
	return []net.Listener{first, second}, nil
}

// GRPCAddr is where the server listens for gRPC.
func (s *Server) GRPCAddr() net.Addr { return s.grpcAddr }

// HTTPAddr is where the server listens for HTTP.
func (s *Server) HTTPAddr() net.Addr { return s.httpAddr }

// GRPCEndpoint is the value of OTEL_EXPORTER_OTLP_ENDPOINT for senders on this
// machine whose OTEL_EXPORTER_OTLP_PROTOCOL is grpc.
func (s *Server) GRPCEndpoint() string { return s.endpoint(s.grpcAddr) }

// HTTPEndpoint is the same for http/protobuf and http/json.
func (s *Server) HTTPEndpoint() string { return s.endpoint(s.httpAddr) }

// endpoint names the loopback interface where addr is every interface.
func (s *Server) endpoint(addr net.Addr) string {
	scheme := "http://"
	if s.settings.TLS != nil {
		scheme = "https://"
	}
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return scheme + addr.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return scheme + net.JoinHostPort(host, port)
}

// Shutdown stops to accept connections, lets the requests that are under way come
// to an end for at most Settings.Grace, and returns when the last accepted span is
// delivered. It returns an error if ctx ended before that. Later calls return what
// the first did.
func (s *Server) Shutdown(ctx context.Context) error {
	s.shutdown.Do(func() { s.shutdownErr = s.stop(ctx) })
	return s.shutdownErr
}

func (s *Server) stop(ctx context.Context) error {
	s.endLife()
	s.split.stopAccepting()
	s.drain(ctx)
	s.split.close()
	s.serving.Wait()
	select {
	case <-s.gate.close():
		return nil
	case <-ctx.Done():
		return fmt.Errorf("receiver: shut down with requests under way: %w", ctx.Err())
	}
}

// drain ends both servers gracefully, and by force when the grace is over.
func (s *Server) drain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, s.settings.Grace)
	defer cancel()
	var both sync.WaitGroup
	both.Go(func() { _ = s.http.Shutdown(ctx) }) // its only error is the end of the grace
	both.Go(s.grpc.GracefulStop)                 // waits for handlers, even of a Sink that hangs
	done := make(chan struct{})
	go func() {
		both.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		s.split.close() // grpc-go waits for connections in the midst of their handshake
		s.grpc.Stop()
		_ = s.http.Close() // closes the connections; there is nobody to tell
	}
}
