package checkout

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/followspan/followspan/examples/checkout/internal/fault"
	"github.com/followspan/followspan/examples/checkout/internal/orders"
	"github.com/followspan/followspan/examples/checkout/internal/telemetry"
)

// publish tells everybody about the order, and returns once the broker has it.
func (s *server) publish(ctx context.Context, o *order) error {
	placed := orders.Order{ID: o.id, Amount: o.amount}
	body, err := json.Marshal(placed)
	if err != nil {
		return err
	}
	messageID := uuid.NewString()
	ctx, span := telemetry.Tracer().Start(ctx, "send "+orders.Subject,
		trace.WithSpanKind(trace.SpanKindProducer),
		trace.WithAttributes(s.broker.Attributes(placed)...),
		trace.WithAttributes(
			semconv.MessagingOperationTypeSend,
			semconv.MessagingOperationName("send"),
			semconv.MessagingMessageID(messageID),
		))
	defer span.End()

	_, err = s.broker.PublishMsg(ctx, &nats.Msg{
		Subject: orders.Subject,
		Header:  s.headers(ctx, messageID),
		Data:    body,
	})
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
	}
	return err
}

// headers returns what a consumer needs to join its work to this order: the
// message's id and the trace context.
func (s *server) headers(ctx context.Context, messageID string) nats.Header {
	if s.fault == fault.LostContext {
		return nil
	}
	headers := nats.Header{nats.MsgIdHdr: {messageID}}
	otel.GetTextMapPropagator().Inject(ctx, orders.Headers(headers))
	return headers
}
