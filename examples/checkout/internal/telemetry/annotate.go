package telemetry

import (
	"context"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

type attributesKey struct{}

// Annotate sets the attributes on the current span, and on every span of this
// process that starts under the returned context: on the client spans, too, of
// instrumentation that knows nothing of orders.
func Annotate(ctx context.Context, attributes ...attribute.KeyValue) context.Context {
	trace.SpanFromContext(ctx).SetAttributes(attributes...)
	return context.WithValue(ctx, attributesKey{}, slices.Concat(annotations(ctx), attributes))
}

func annotations(ctx context.Context) []attribute.KeyValue {
	attributes, _ := ctx.Value(attributesKey{}).([]attribute.KeyValue)
	return attributes
}

// An annotator gives each new span the attributes of the context it starts in.
type annotator struct{}

func (annotator) OnStart(parent context.Context, span sdktrace.ReadWriteSpan) {
	span.SetAttributes(annotations(parent)...)
}

func (annotator) OnEnd(sdktrace.ReadOnlySpan)      {}
func (annotator) Shutdown(context.Context) error   { return nil }
func (annotator) ForceFlush(context.Context) error { return nil }
