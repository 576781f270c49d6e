package payment

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/followspan/followspan/examples/checkout/internal/process"
)

const chargesPath = "/v1/charges"

type chargeRequest struct {
	Amount any `json:"amount"`
	key    string
}

type chargeReply struct {
	ID       string `json:"id"`
	Captured bool   `json:"captured"`
	Settled  bool   `json:"settled"`
}

func (r chargeReply) attributes() []attribute.KeyValue {
	return []attribute.KeyValue{
		attribute.String("payment.charge.id", r.ID),
		attribute.Bool("payment.captured", r.Captured),
	}
}

// A gatewayClient talks to the card gateway. Each request gets a client span
// that names the gateway as its peer, since the gateway sends no span itself.
type gatewayClient struct {
	http http.Client
	url  string
}

func newGatewayClient() (*gatewayClient, error) {
	address, err := process.Address("gateway")
	if err != nil {
		return nil, err
	}
	return &gatewayClient{
		url: "http://" + address + chargesPath,
		http: http.Client{Transport: otelhttp.NewTransport(replyRecorder{},
			otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string {
				return r.Method + " " + chargesPath
			}),
			otelhttp.WithSpanOptions(trace.WithAttributes(
				semconv.ServicePeerName("gateway"), semconv.URLTemplate(chargesPath),
			)),
		)},
	}, nil
}

func (c *gatewayClient) charge(ctx context.Context, request chargeRequest) (reply chargeReply, err error) {
	body, err := json.Marshal(request)
	if err != nil {
		return reply, err
	}
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return reply, err
	}
	post.Header.Set("Content-Type", "application/json")
	if request.key != "" {
		post.Header.Set("Idempotency-Key", request.key)
	}
	answer, err := c.http.Do(post)
	if err != nil {
		return reply, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return reply, fmt.Errorf("the gateway answers %s", answer.Status)
	}
	return reply, json.NewDecoder(answer.Body).Decode(&reply)
}

// A replyRecorder records on the client span which charge the gateway answered
// with. It sits below the instrumentation because the span is out of reach
// above it, and has ended once the body was read.
type replyRecorder struct{}

func (replyRecorder) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	var reply chargeReply
	if json.Unmarshal(body, &reply) == nil {
		trace.SpanFromContext(r.Context()).SetAttributes(reply.attributes()...)
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return answer, nil
}
