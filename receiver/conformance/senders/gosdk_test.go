package senders

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	api "go.opentelemetry.io/otel/trace"
)

// patience is how the exporters retry; zero as they do unless told otherwise, for
// the first time after 5 s.
type patience struct{ initial, longest, total time.Duration }

var hasty = patience{time.Millisecond, 10 * time.Millisecond, time.Minute}

func (p patience) grpc() (options []otlptracegrpc.Option) {
	if p != (patience{}) {
		options = append(options, otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{Enabled: true, InitialInterval: p.initial, MaxInterval: p.longest, MaxElapsedTime: p.total}))
	}
	return options
}

func (p patience) http() (options []otlptracehttp.Option) {
	if p != (patience{}) {
		options = append(options, otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: true, InitialInterval: p.initial, MaxInterval: p.longest, MaxElapsedTime: p.total}))
	}
	return options
}

// provider is set up by the environment as a service's is, but for its patience.
func provider(t *testing.T, e *endpoint, protocol string, retries patience) *sdk.TracerProvider {
	t.Helper()
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", e.HTTPEndpoint())
	t.Setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "100")
	t.Setenv("OTEL_BSP_MAX_QUEUE_SIZE", "10000")
	var exporter sdk.SpanExporter
	var err error
	if protocol == "grpc" {
		t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", e.GRPCEndpoint())
		exporter, err = otlptracegrpc.New(t.Context(), retries.grpc()...)
	} else {
		exporter, err = otlptracehttp.New(t.Context(), retries.http()...)
	}
	if err != nil {
		t.Fatal(err)
	}
	p := sdk.NewTracerProvider(sdk.WithBatcher(exporter))
	t.Cleanup(func() { _ = p.Shutdown(context.Background()) }) // the test has done so if it passed
	return p
}

// placeOrder makes a root span with so many children.
func placeOrder(p *sdk.TracerProvider, children int) {
	tracer := p.Tracer("conformance", api.WithInstrumentationVersion("1.2.3"))
	ctx, root := tracer.Start(context.Background(), "place order", api.WithSpanKind(api.SpanKindServer))
	root.SetAttributes(attribute.String("text", "ü"), attribute.Int("int", 42), attribute.Float64("double", 1.5), attribute.Bool("bool", true),
		attribute.StringSlice("list", []string{"a", "b"}), attribute.IntSlice("numbers", []int{1, 2}), attribute.Int("big", 1<<53-1))
	root.AddEvent("retry", api.WithAttributes(attribute.Int("attempt", 2)))
	for i := range children {
		_, child := tracer.Start(ctx, "query", api.WithSpanKind(api.SpanKindClient), api.WithAttributes(attribute.Int("i", i)),
			api.WithLinks(api.Link{SpanContext: root.SpanContext(), Attributes: []attribute.KeyValue{attribute.String("why", "test")}}))
		child.End()
	}
	root.SetStatus(codes.Error, "card declined")
	root.End()
}

func TestGoSDK(t *testing.T) {
	for _, protocol := range protocols {
		for _, compression := range []string{"none", "gzip"} {
			t.Run(protocol+"/"+compression, func(t *testing.T) {
				t.Setenv("OTEL_EXPORTER_OTLP_COMPRESSION", compression)
				e := start(t, 0)
				p := provider(t, e, protocol, patience{})
				placeOrder(p, 1)
				if err := p.Shutdown(t.Context()); err != nil {
					t.Fatal(err)
				}
				checkRoot(t, e.spans(t))
				senders := e.Stats().Senders
				if len(senders) != 1 || senders[0].UserAgent == "" || senders[0].Lag.Unknown {
					t.Errorf("senders %+v", senders)
				}
			})
		}
	}
}

// A full store loses nothing: the SDK is told to retry, and does.
func TestGoSDKRetries(t *testing.T) {
	for _, c := range []struct {
		protocol string
		retries  patience
		refusals int64
	}{
		{"grpc", hasty, 5}, {"http/protobuf", hasty, 2}, {"http/json", hasty, 2},
		// Unless told otherwise the SDK waits for 5 s, and gives up after 10: two
		// refusals of a request in a row would lose it.
		{"grpc", patience{}, 1},
	} {
		t.Run(fmt.Sprintf("%s, %d refusals", c.protocol, c.refusals), func(t *testing.T) {
			const children = 999
			e := start(t, c.refusals)
			p := provider(t, e, c.protocol, c.retries)
			placeOrder(p, children)
			if err := p.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
			if names := e.names(t); names["query"] != children || names["place order"] != 1 {
				t.Errorf("spans %v, want %d queries and a root", names, children)
			}
			refused := e.Stats().Refused
			if len(refused) != 1 || refused[0].Reason != "asked to retry" || refused[0].Requests != uint64(c.refusals) {
				t.Errorf("refused %+v", refused)
			}
		})
	}
}

// An application whose spans come late is told so by its own SDK, once: in its log, or
// by the flush that sent them.
func TestGoSDKIsAdvised(t *testing.T) {
	for _, protocol := range protocols {
		t.Run(protocol, func(t *testing.T) {
			e := start(t, 0)
			p := provider(t, e, protocol, patience{})
			for _, advised := range []bool{true, false} {
				_, span := p.Tracer("late").Start(t.Context(), "late")
				span.End(api.WithTimestamp(time.Now().Add(-5 * time.Second)))
				said := fmt.Sprint(p.ForceFlush(t.Context()))
				if got := strings.Contains(said, "OTEL_BSP_SCHEDULE_DELAY") && strings.Contains(said, "(0 spans rejected)"); got != advised {
					t.Errorf("said %q, want advice: %v", said, advised)
				}
			}
			if got := e.Stats().Spans; got != 2 {
				t.Errorf("%d spans were kept, want 2", got)
			}
		})
	}
}
