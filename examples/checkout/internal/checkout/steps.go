package checkout

import (
	"context"
	"fmt"
	"io"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	"github.com/followspan/followspan/examples/checkout/internal/fault"
	"github.com/followspan/followspan/examples/checkout/internal/pb"
	"github.com/followspan/followspan/examples/checkout/internal/telemetry"
	"github.com/followspan/followspan/examples/checkout/internal/work"
)

const (
	// taxTime is how long the taxes of an order take.
	taxTime = 5 * time.Millisecond
	// flatShipping is what shipping costs, in cents, when nobody can say.
	flatShipping = 500
	// oldQuoteShipping is what QuoteShipping was called in version 1.2.
	oldQuoteShipping = "/inventory.v1.Inventory/ShippingCost"
)

// lookUpPrices asks for all prices at once, since none depends on another.
func (s *server) lookUpPrices(ctx context.Context, o *order) error {
	o.prices = make([]int64, len(o.items))
	group, ctx := errgroup.WithContext(ctx)
	if s.fault == fault.Sequential {
		group.SetLimit(1)
	}
	for i, item := range o.items {
		group.Go(func() error {
			reply, err := s.inventory.Price(ctx, &pb.PriceRequest{Sku: item.Sku})
			o.prices[i] = reply.GetAmount()
			return err
		})
	}
	return group.Wait()
}

// quoteShipping asks what the parcel costs. An order does not fail because
// nobody can say: it then costs the flat rate.
func (s *server) quoteShipping(ctx context.Context, o *order) error {
	request := &pb.QuoteShippingRequest{}
	for _, item := range o.items {
		request.Pieces += item.Quantity
	}
	reply, err := s.callQuoteShipping(ctx, request)
	if err != nil {
		o.shipping = flatShipping
		return nil
	}
	o.shipping = reply.Amount
	return nil
}

func (s *server) callQuoteShipping(ctx context.Context, r *pb.QuoteShippingRequest) (*pb.QuoteShippingReply, error) {
	if s.fault == fault.OldClient {
		return s.callShippingCost(ctx, r)
	}
	return s.inventory.QuoteShipping(ctx, r)
}

// callShippingCost makes by hand the call that an old client's generated code would make.
// A call that may be tried again counts in grpc-go as well ended if it is refused before
// its message was written, and so says its span; to ask for the stream's context rules
// further attempts out.
func (s *server) callShippingCost(ctx context.Context, r *pb.QuoteShippingRequest) (*pb.QuoteShippingReply, error) {
	stream, err := s.inventoryConn.NewStream(ctx, &grpc.StreamDesc{}, oldQuoteShipping)
	if err != nil {
		return nil, err
	}
	_ = stream.Context()
	if err := stream.SendMsg(r); err != nil && err != io.EOF {
		return nil, err
	}
	reply := &pb.QuoteShippingReply{}
	return reply, stream.RecvMsg(reply)
}

func (s *server) reserve(ctx context.Context, o *order) error {
	request := &pb.ReserveRequest{OrderId: o.id}
	for _, item := range o.items {
		request.Items = append(request.Items, &pb.ReservedItem{Sku: item.Sku, Quantity: item.Quantity})
	}
	_, err := s.inventory.Reserve(ctx, request)
	return err
}

// total adds the order up, taxes included.
func (s *server) total(ctx context.Context, o *order) error {
	taxing, span := telemetry.Tracer().Start(ctx, "add taxes")
	defer span.End()
	o.amount = o.shipping
	for i, item := range o.items {
		o.amount += o.prices[i] * item.Quantity
	}
	trace.SpanFromContext(ctx).SetAttributes(attribute.Int64("order.amount", o.amount))
	return work.Take(taxing, taxTime)
}

func (s *server) charge(ctx context.Context, o *order) error {
	request := &pb.ChargeRequest{OrderId: o.id, Amount: &pb.ChargeRequest_Cents{Cents: o.amount}}
	if s.fault == fault.WrongAmount {
		euros := fmt.Sprintf("%d.%02d", o.amount/100, o.amount%100)
		request.Amount = &pb.ChargeRequest_Decimal{Decimal: euros}
	}
	_, err := s.payment.Charge(ctx, request)
	return err
}
