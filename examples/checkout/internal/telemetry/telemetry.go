// Package telemetry sets OpenTelemetry up for one process of the shop.
//
// [Start] installs the exporter and the propagators for the whole process; what
// they do is told by the OTEL_* environment alone, as in any service. [Annotate]
// carries what the business knows, an order's id, say, to every span below.
package telemetry

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// flushLimit bounds how long a process waits at its end for a receiver that
// does not answer.
const flushLimit = 700 * time.Millisecond

// Start begins to record spans and to export them over OTLP/gRPC. The function
// it returns exports what is left and ends it; call it last.
func Start(ctx context.Context) (stop func(), err error) {
	exporter, err := otlptracegrpc.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("start the OTLP exporter: %w", err)
	}
	about, err := describe(ctx)
	if err != nil {
		return nil, fmt.Errorf("describe this process: %w", err)
	}
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithResource(about),
		sdktrace.WithSpanProcessor(annotator{}),
		sdktrace.WithBatcher(exporter),
	)
	otel.SetTracerProvider(provider)
	otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator(
		propagation.TraceContext{}, propagation.Baggage{},
	))
	return func() { flush(provider) }, nil
}

func flush(provider *sdktrace.TracerProvider) {
	ctx, cancel := context.WithTimeout(context.Background(), flushLimit)
	defer cancel()
	if err := provider.Shutdown(ctx); err != nil {
		otel.Handle(fmt.Errorf("export the last spans: %w", err))
	}
}

// describe returns the resource of this process: what the launcher says in
// OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES, and an id of its own.
func describe(ctx context.Context) (*resource.Resource, error) {
	return resource.New(ctx,
		resource.WithTelemetrySDK(),
		resource.WithProcessPID(),
		resource.WithFromEnv(),
		resource.WithAttributes(attribute.String("service.instance.id", uuid.NewString())),
	)
}

// Tracer returns the tracer for the spans that the shop's own code makes.
func Tracer() trace.Tracer {
	return otel.Tracer("github.com/followspan/followspan/examples/checkout")
}
