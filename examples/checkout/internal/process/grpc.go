package process

import (
	"context"
	"net"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// ServeGRPC serves on a free port until the context ends, and returns once the
// calls that were under way are answered. Each call gets a server span.
//
// A call of a method that is not registered gets none: the instrumentation
// starts one, but gRPC never tells it that the call ended. Only the client's
// span shows such a call, which is what the fault old-client is about.
func ServeGRPC(ctx context.Context, register func(grpc.ServiceRegistrar)) error {
	listener, err := net.Listen("tcp", anyPort)
	if err != nil {
		return err
	}
	server := grpc.NewServer(grpc.StatsHandler(otelgrpc.NewServerHandler()))
	register(server)
	context.AfterFunc(ctx, server.GracefulStop)
	Announce(listener.Addr().String())
	return server.Serve(listener)
}

// Dial connects to the named process. Each call gets a client span that names
// the process as its peer.
func Dial(name string) (*grpc.ClientConn, error) {
	address, err := Address(name)
	if err != nil {
		return nil, err
	}
	conn, err := grpc.NewClient(address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithStatsHandler(otelgrpc.NewClientHandler(
			otelgrpc.WithSpanAttributes(semconv.ServicePeerName(name)),
		)),
	)
	if err != nil {
		return nil, err
	}
	conn.Connect()
	return conn, nil
}
