package main

import (
	"slices"
	"testing"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/followspan/followspan/examples/checkout/internal/otlptest"
)

const goodTree = `frontend server POST /checkout
  frontend client checkout.v1.Checkout/Place
    checkout server checkout.v1.Checkout/Place
      checkout client inventory.v1.Inventory/Price
        inventory server inventory.v1.Inventory/Price
          inventory client SELECT items
      checkout client inventory.v1.Inventory/Price
        inventory server inventory.v1.Inventory/Price
          inventory client SELECT items
      checkout client inventory.v1.Inventory/Price
        inventory server inventory.v1.Inventory/Price
          inventory client SELECT items
      checkout client inventory.v1.Inventory/QuoteShipping
        inventory server inventory.v1.Inventory/QuoteShipping
      checkout client inventory.v1.Inventory/Reserve
        inventory server inventory.v1.Inventory/Reserve
          inventory client BEGIN
          inventory client UPDATE items
          inventory client INSERT reservations
          inventory client UPDATE items
          inventory client INSERT reservations
          inventory client UPDATE items
          inventory client INSERT reservations
          inventory client COMMIT
      checkout internal add taxes
      checkout client payment.v1.Payment/Charge
        payment server payment.v1.Payment/Charge
          payment client POST /v1/charges
      checkout producer send orders
email consumer process orders (links to send orders)
  email internal send mail
`

// good is a checkout in which nothing goes wrong.
func good(t *testing.T, spans otlptest.Spans) {
	if got := spans.Tree(); got != goodTree {
		t.Errorf("spans:\ngot:\n%s\nwant:\n%s", got, goodTree)
	}
	goodResources(t, spans)
	goodValues(t, spans)
	goodOrder(t, spans)
	for _, span := range spans {
		if span.Failed {
			t.Errorf("%s %s failed", span.Service, span.Name)
		}
	}
}

func goodResources(t *testing.T, spans otlptest.Spans) {
	t.Helper()
	instances := map[any]string{}
	for _, span := range spans {
		instance := span.Resource["service.instance.id"]
		if other, ok := instances[instance]; ok && other != span.Service {
			t.Errorf("%s and %s share the service.instance.id %v", span.Service, other, instance)
		}
		instances[instance] = span.Service
		equal(t, "host.id", span.Resource["host.id"], spans[0].Resource["host.id"])
		equal(t, "deployment.environment.name", span.Resource["deployment.environment.name"], "test")
		equal(t, "service.version", span.Resource["service.version"], "1.4.0")
		equal(t, "telemetry.sdk.language", span.Resource["telemetry.sdk.language"], "go")
	}
	if len(instances) != 5 {
		t.Errorf("got %d service instances, want 5", len(instances))
	}
}

func goodValues(t *testing.T, spans otlptest.Spans) {
	t.Helper()
	place := one(t, spans, "checkout", "checkout.v1.Checkout/Place", server)
	charge := one(t, spans, "payment", "payment.v1.Payment/Charge", server)
	attempt := one(t, spans, "payment", "POST /v1/charges", client)
	sent := one(t, spans, "checkout", "send orders", producer)
	received := one(t, spans, "email", "process orders", consumer)
	mail := one(t, spans, "email", "send mail", internal)

	for _, span := range []otlptest.Span{charge, attempt, sent, received, mail} {
		equal(t, span.Name+": order.id", span.Attributes["order.id"], place.Attributes["order.id"])
	}
	equal(t, "order.amount", place.Attributes["order.amount"], int64(4200))
	equal(t, "payment.amount", charge.Attributes["payment.amount"], int64(4200))
	equal(t, "payment.captured", attempt.Attributes["payment.captured"], true)
	equal(t, "payment.charge.id", attempt.Attributes["payment.charge.id"], "ch_1")
	equal(t, "service.peer.name", attempt.Attributes["service.peer.name"], "gateway")
	equal(t, "payment.idempotency_key", attempt.Attributes["payment.idempotency_key"], charge.Attributes["payment.idempotency_key"])
	equal(t, "messaging.message.id", received.Attributes["messaging.message.id"], sent.Attributes["messaging.message.id"])
	if received.TraceID == sent.TraceID {
		t.Error("the consumer is in the producer's trace, want one of its own")
	}
}

func goodOrder(t *testing.T, spans otlptest.Spans) {
	t.Helper()
	if !overlapping(spans.Of("checkout", "inventory.v1.Inventory/Price", client)) {
		t.Error("the price look-ups do not overlap")
	}
	reserve := one(t, spans, "inventory", "inventory.v1.Inventory/Reserve", server)
	charge := one(t, spans, "payment", "payment.v1.Payment/Charge", server)
	if gap := charge.Start.Sub(reserve.End); gap < 3*time.Millisecond {
		t.Errorf("the charge starts %v after the reservation, want at least 3ms", gap)
	}
}

// overlapping reports whether all spans share one instant.
func overlapping(spans otlptest.Spans) bool {
	lastStart := slices.MaxFunc(spans, func(a, b otlptest.Span) int { return a.Start.Compare(b.Start) }).Start
	firstEnd := slices.MinFunc(spans, func(a, b otlptest.Span) int { return a.End.Compare(b.End) }).End
	return lastStart.Before(firstEnd)
}

// one returns the only span of its service, name and kind.
func one(t *testing.T, spans otlptest.Spans, service, name string, kind tracepb.Span_SpanKind) otlptest.Span {
	t.Helper()
	found := spans.Of(service, name, kind)
	if len(found) != 1 {
		t.Fatalf("%s %s %q: got %d spans, want 1; all spans:\n%s", service, kind, name, len(found), spans.Tree())
	}
	return found[0]
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if got != want || got == nil {
		t.Errorf("%s: got %T %v, want %T %v", what, got, got, want, want)
	}
}
