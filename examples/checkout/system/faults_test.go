package main

import (
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/followspan/followspan/examples/checkout/internal/fault"
	"github.com/followspan/followspan/examples/checkout/internal/orders"
	"github.com/followspan/followspan/examples/checkout/internal/otlptest"
)

const (
	server   = tracepb.Span_SPAN_KIND_SERVER
	client   = tracepb.Span_SPAN_KIND_CLIENT
	producer = tracepb.Span_SPAN_KIND_PRODUCER
	consumer = tracepb.Span_SPAN_KIND_CONSUMER
	internal = tracepb.Span_SPAN_KIND_INTERNAL
)

// faults says for each fault what its spans must show. The rest of the flow is
// as in the good run; that only the right assertions fail is tested with
// followspan itself.
var faults = map[fault.Fault]func(t *testing.T, spans otlptest.Spans){
	fault.None:         good,
	fault.SlowEmail:    slowEmail,
	fault.NoEmail:      noEmail,
	fault.DoubleCharge: doubleCharge,
	fault.LostContext:  lostContext,
	fault.WrongAmount:  wrongAmount,
	fault.WrongEnv:     wrongEnv,
	fault.OldClient:    oldClient,
	fault.Reversed:     reversed,
	fault.Sequential:   sequential,
}

func TestFaults(t *testing.T) {
	for _, f := range fault.All() {
		t.Run(string(f), func(t *testing.T) {
			s := start(t, f)
			got := buy(t, "http://"+s.Address("frontend"))
			if got.Amount != 4200 {
				t.Errorf("amount: got %d, want 4200", got.Amount)
			}
			s.spans.Wait(t, "end of the flow", func(spans otlptest.Spans) bool {
				return len(spans.Of("frontend", "POST /checkout", server)) == 1 &&
					(f == fault.NoEmail || len(spans.Of("email", "process orders", consumer)) == 1)
			})
			if f == fault.NoEmail {
				undelivered(t, s.Address("broker"))
			}
			s.Stop() // Services export in no order among themselves: the end of the flow is not its last span.
			faults[f](t, s.spans.Spans())
		})
	}
}

func slowEmail(t *testing.T, spans otlptest.Spans) {
	charge := one(t, spans, "checkout", "payment.v1.Payment/Charge", client)
	mail := one(t, spans, "email", "send mail", internal)
	if late := mail.Start.Sub(charge.End); late < 3*time.Second {
		t.Errorf("the mail leaves %v after the charge, want at least 3s", late)
	}
}

func noEmail(t *testing.T, spans otlptest.Spans) {
	one(t, spans, "checkout", "send orders", producer)
	if got := spans.Of("email", "process orders", consumer); len(got) != 0 {
		t.Errorf("email processed the message:\n%v", got)
	}
}

// undelivered asks the broker itself, since the absence of a span proves little.
func undelivered(t *testing.T, address string) {
	t.Helper()
	conn, err := nats.Connect("nats://" + address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	broker, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := broker.Stream(t.Context(), orders.Stream)
	if err != nil {
		t.Fatal(err)
	}
	state := stream.CachedInfo().State
	if state.LastSeq != 1 || state.Msgs != 0 {
		t.Errorf("the broker accepted %d messages and keeps %d, want 1 and 0", state.LastSeq, state.Msgs)
	}
	email, err := stream.Consumer(t.Context(), "email")
	if err != nil {
		t.Fatal(err)
	}
	if n := email.CachedInfo().Delivered.Consumer; n != 0 {
		t.Errorf("%d messages were delivered to email, want 0", n)
	}
}

func doubleCharge(t *testing.T, spans otlptest.Spans) {
	attempts := spans.Of("payment", "POST /v1/charges", client)
	var charges []any
	for _, attempt := range attempts {
		charges = append(charges, attempt.Attributes["payment.charge.id"])
		if key, ok := attempt.Attributes["payment.idempotency_key"]; ok {
			t.Errorf("an attempt has the idempotency key %v, want none", key)
		}
	}
	if want := []any{"ch_1", "ch_2"}; !slices.Equal(charges, want) {
		t.Errorf("charges: got %v, want %v", charges, want)
	}
}

func lostContext(t *testing.T, spans otlptest.Spans) {
	sent := one(t, spans, "checkout", "send orders", producer)
	received := one(t, spans, "email", "process orders", consumer)
	if received.TraceID == sent.TraceID || len(received.Links) != 0 {
		t.Errorf("the consumer is joined to its producer: trace %s, links %v", received.TraceID, received.Links)
	}
	if id, ok := received.Attributes["messaging.message.id"]; ok {
		t.Errorf("the consumer knows the message id %v", id)
	}
	equal(t, "order.id", received.Attributes["order.id"], sent.Attributes["order.id"])
}

func wrongAmount(t *testing.T, spans otlptest.Spans) {
	place := one(t, spans, "checkout", "checkout.v1.Checkout/Place", server)
	charge := one(t, spans, "payment", "payment.v1.Payment/Charge", server)
	equal(t, "order.amount", place.Attributes["order.amount"], int64(4200))
	equal(t, "payment.amount", charge.Attributes["payment.amount"], "42.00")
}

func wrongEnv(t *testing.T, spans otlptest.Spans) {
	for _, span := range spans {
		want := "test"
		if span.Service == "inventory" {
			want = "staging"
		}
		equal(t, span.Service+"'s environment", span.Resource["deployment.environment.name"], want)
	}
}

func oldClient(t *testing.T, spans otlptest.Spans) {
	const method = "inventory.v1.Inventory/ShippingCost"
	call := one(t, spans, "checkout", method, client)
	equal(t, "status", call.Attributes["rpc.response.status_code"], "UNIMPLEMENTED")
	if !call.Failed {
		t.Error("the client span is not an error")
	}
	for _, name := range []string{method, "inventory.v1.Inventory/QuoteShipping"} {
		if served := spans.Of("inventory", name, server); len(served) != 0 {
			t.Errorf("inventory served the call:\n%v", served)
		}
	}
}

func reversed(t *testing.T, spans otlptest.Spans) {
	charge := one(t, spans, "checkout", "payment.v1.Payment/Charge", client)
	reserve := one(t, spans, "checkout", "inventory.v1.Inventory/Reserve", client)
	if !charge.End.Before(reserve.Start) {
		t.Errorf("the charge ends %v after the reservation starts, want before", charge.End.Sub(reserve.Start))
	}
}

func sequential(t *testing.T, spans otlptest.Spans) {
	if overlapping(spans.Of("checkout", "inventory.v1.Inventory/Price", client)) {
		t.Error("the price look-ups overlap")
	}
}
