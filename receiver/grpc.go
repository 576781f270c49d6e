package receiver

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// services are those of OTLP/gRPC. Only spans are kept; senders that export
// everything would fill their logs with errors if the others were missing.
var services = map[string]signal{
	"opentelemetry.proto.collector.trace.v1.TraceService":                  traces,
	"opentelemetry.proto.collector.metrics.v1.MetricsService":              metrics,
	"opentelemetry.proto.collector.logs.v1.LogsService":                    logs,
	"opentelemetry.proto.collector.profiles.v1development.ProfilesService": profiles,
}

func (s *Server) newGRPC() *grpc.Server {
	server := grpc.NewServer(
		grpc.ForceServerCodecV2(rawCodec{}),
		grpc.MaxRecvMsgSize(s.settings.MaxRequestBytes),
		grpc.SharedWriteBuffer(true),
		grpc.ConnectionTimeout(s.settings.ReadTimeout),
		grpc.MaxConcurrentStreams(256),
		grpc.MaxHeaderListSize(maxHeaderBytes),
		// Otherwise a sender that pings often is cut off with "too many pings".
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Nanosecond, PermitWithoutStream: true}),
	)
	for name, sig := range services {
		server.RegisterService(&grpc.ServiceDesc{
			ServiceName: name,
			HandlerType: (*any)(nil),
			Methods:     []grpc.MethodDesc{{MethodName: "Export", Handler: s.grpcHandler(sig)}},
		}, s)
	}
	return server
}

func (s *Server) grpcHandler(sig signal) grpc.MethodHandler {
	return func(_ any, ctx context.Context, receive func(any) error, _ grpc.UnaryServerInterceptor) (answer any, err error) {
		s.stats.request(sig)
		from := grpcSource(ctx)
		defer func() {
			if v := recover(); v != nil {
				answer, err = nil, s.refuse(internal(v), from).status().Err()
			}
		}()
		p, bad := s.receiveGRPC(ctx, receive, sig, from)
		if bad != nil {
			if sig == traces {
				s.lose(ctx, bad, from)
			}
			return nil, s.refuse(bad, from).status().Err()
		}
		return reply(p.answer(protobuf)), nil
	}
}

// receiveGRPC reads the request and takes what it brings. How large it is shows
// only when it was read, so it is reserved whole for that time.
func (s *Server) receiveGRPC(ctx context.Context, receive func(any) error, sig signal, from source) (partial, *failure) {
	if bad := s.authorize(metadata.ValueFromIncomingContext(ctx, "authorization")); bad != nil {
		return partial{}, bad
	}
	if err := s.gate.enter(); err != nil {
		return partial{}, unavailable(err)
	}
	defer s.gate.leave()
	part := &reservation{of: s.inFlight}
	if err := part.grow(ctx, s.settings.MaxRequestBytes); err != nil {
		return partial{}, unavailable(err)
	}
	defer part.shrink(0)
	m, err := s.read(receive, from)
	if err != nil {
		return partial{}, s.unreadable(err)
	}
	defer m.free()
	part.shrink(len(m.bytes()))
	if sig != traces {
		return partial{}, nil
	}
	return s.export(ctx, m.bytes(), protobuf, from)
}

// unreadable turns grpc-go's error of reading a message into the failure to count.
// For most of them grpc-go has told the sender already, in its own words, and with a
// code that OTLP does not retry: INTERNAL for corrupt compression, and for a message
// too large RESOURCE_EXHAUSTED without RetryInfo (OTLP 1.x, "OTLP/gRPC Throttling").
func (s *Server) unreadable(err error) *failure {
	switch status.Code(err) {
	case codes.ResourceExhausted:
		return tooLarge(s.settings.MaxRequestBytes)
	case codes.Internal:
		return invalid("corrupt compression", status.Convert(err).Message())
	}
	if errors.Is(err, io.EOF) {
		return invalid("truncated request", "the call ended without a message")
	}
	f := unavailable(err)
	f.reason = "sender went away"
	return f
}
