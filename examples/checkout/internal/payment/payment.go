// Package payment charges cards through a third party's gateway.
package payment

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/followspan/followspan/examples/checkout/internal/fault"
	"github.com/followspan/followspan/examples/checkout/internal/pb"
	"github.com/followspan/followspan/examples/checkout/internal/process"
	"github.com/followspan/followspan/examples/checkout/internal/telemetry"
)

// maxAttempts is how often the gateway is asked about one charge.
const maxAttempts = 3

// Run serves until the context ends.
func Run(ctx context.Context) error {
	f, err := fault.FromEnv()
	if err != nil {
		return err
	}
	stop, err := telemetry.Start(ctx)
	if err != nil {
		return err
	}
	defer stop()
	gateway, err := newGatewayClient()
	if err != nil {
		return err
	}
	s := &server{gateway: gateway, forgetKey: f == fault.DoubleCharge}
	return process.ServeGRPC(ctx, func(r grpc.ServiceRegistrar) { pb.RegisterPaymentServer(r, s) })
}

type server struct {
	pb.UnimplementedPaymentServer
	gateway *gatewayClient
	// forgetKey sends charges without an idempotency key.
	forgetKey bool
}

// Charge charges the card, and asks again until the gateway says that the
// charge is settled. All attempts carry one idempotency key, made from the
// order, so that they are one charge.
func (s *server) Charge(ctx context.Context, r *pb.ChargeRequest) (*pb.ChargeReply, error) {
	trace.SpanFromContext(ctx).SetAttributes(amountAttribute(r))
	ctx = telemetry.Annotate(ctx, attribute.String("order.id", r.OrderId))
	request := chargeRequest{Amount: amount(r)}
	if !s.forgetKey {
		request.key = "charge-" + r.OrderId
		ctx = telemetry.Annotate(ctx, attribute.String("payment.idempotency_key", request.key))
	}
	for range maxAttempts {
		reply, err := s.gateway.charge(ctx, request)
		if err != nil {
			return nil, status.Error(codes.Unavailable, err.Error())
		}
		if reply.Settled {
			trace.SpanFromContext(ctx).SetAttributes(reply.attributes()...)
			return &pb.ChargeReply{ChargeId: reply.ID}, nil
		}
	}
	return nil, status.Error(codes.Unavailable, "the gateway does not settle the charge")
}

// amount returns what to charge, in the format in which it was asked for.
func amount(r *pb.ChargeRequest) any {
	if decimal, ok := r.Amount.(*pb.ChargeRequest_Decimal); ok {
		return decimal.Decimal
	}
	return r.GetCents()
}

func amountAttribute(r *pb.ChargeRequest) attribute.KeyValue {
	const key = attribute.Key("payment.amount")
	if decimal, ok := r.Amount.(*pb.ChargeRequest_Decimal); ok {
		return key.String(decimal.Decimal)
	}
	return key.Int64(r.GetCents())
}
