// Package email tells customers about their orders.
package email

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/followspan/followspan/examples/checkout/internal/fault"
	"github.com/followspan/followspan/examples/checkout/internal/orders"
	"github.com/followspan/followspan/examples/checkout/internal/process"
	"github.com/followspan/followspan/examples/checkout/internal/telemetry"
	"github.com/followspan/followspan/examples/checkout/internal/work"
)

const (
	// consumerName is the durable consumer that all instances of this service share.
	consumerName = "email"
	// sendTime is how long the mail server takes.
	sendTime = 5 * time.Millisecond
	// backlog is how long a mail waits when the mail server is overloaded.
	backlog = 3 * time.Second
)

// Run consumes orders until the context ends.
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
	broker, err := orders.Connect("email")
	if err != nil {
		return err
	}
	defer broker.Close()
	consumer, err := broker.CreateOrUpdateConsumer(ctx, orders.Stream, jetstream.ConsumerConfig{
		Durable:       consumerName,
		FilterSubject: subject(f),
	})
	if err != nil {
		return fmt.Errorf("subscribe to %s: %w", subject(f), err)
	}
	m := &mailer{broker: broker, overloaded: f == fault.SlowEmail}
	consuming, err := consumer.Consume(func(message jetstream.Msg) { m.receive(ctx, message) })
	if err != nil {
		return err
	}
	process.Announce("")
	<-ctx.Done()
	consuming.Stop()
	<-consuming.Closed()
	return nil
}

// subject returns what the service subscribes to. Under the fault no-email it is
// a subject of the same stream to which nobody publishes.
func subject(f fault.Fault) string {
	if f == fault.NoEmail {
		return orders.Subject + ".v2"
	}
	return orders.Subject
}

type mailer struct {
	broker *orders.Broker
	// overloaded lets each mail wait for the backlog.
	overloaded bool
}

// receive handles one message, and lets the broker deliver it again if it fails.
func (m *mailer) receive(ctx context.Context, message jetstream.Msg) {
	settle := message.Ack
	if err := m.process(ctx, message); err != nil {
		log.Printf("process a message of %s: %v", message.Subject(), err)
		settle = message.Nak
	}
	if err := settle(); err != nil {
		log.Printf("acknowledge a message of %s: %v", message.Subject(), err)
	}
}

// process sends the mail for one order. Its span starts a trace of its own and
// links to the producer's, as the messaging conventions recommend: one message
// may have many consumers, and be consumed long after its trace has ended.
func (m *mailer) process(ctx context.Context, message jetstream.Msg) error {
	var order orders.Order
	if err := json.Unmarshal(message.Data(), &order); err != nil {
		return err
	}
	ctx, span := telemetry.Tracer().Start(ctx, "process "+message.Subject(), m.consumerOptions(order, message)...)
	defer span.End()
	ctx = telemetry.Annotate(ctx, attribute.String("order.id", order.ID))
	if err := m.wait(ctx); err != nil {
		span.SetStatus(codes.Error, err.Error())
		return err
	}
	return send(ctx)
}

func (m *mailer) consumerOptions(order orders.Order, message jetstream.Msg) []trace.SpanStartOption {
	headers := message.Headers()
	attributes := append(m.broker.Attributes(order),
		semconv.MessagingOperationTypeProcess,
		semconv.MessagingOperationName("process"),
		semconv.MessagingConsumerGroupName(consumerName),
	)
	if id := headers.Get(nats.MsgIdHdr); id != "" {
		attributes = append(attributes, semconv.MessagingMessageID(id))
	}
	options := []trace.SpanStartOption{
		trace.WithNewRoot(),
		trace.WithSpanKind(trace.SpanKindConsumer),
		trace.WithAttributes(attributes...),
	}
	sender := otel.GetTextMapPropagator().Extract(context.Background(), orders.Headers(headers))
	if producer := trace.SpanContextFromContext(sender); producer.IsValid() {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: producer}))
	}
	return options
}

func (m *mailer) wait(ctx context.Context) error {
	if !m.overloaded {
		return nil
	}
	return work.Take(ctx, backlog)
}

// send stands in for the mail server.
func send(ctx context.Context) error {
	ctx, span := telemetry.Tracer().Start(ctx, "send mail")
	defer span.End()
	return work.Take(ctx, sendTime)
}
