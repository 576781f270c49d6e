// Package checkout turns a basket into an order: it looks the prices up,
// reserves the stock, charges the card and publishes the order.
package checkout

import (
	"context"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	"google.golang.org/grpc"

	"github.com/followspan/followspan/examples/checkout/internal/fault"
	"github.com/followspan/followspan/examples/checkout/internal/orders"
	"github.com/followspan/followspan/examples/checkout/internal/pb"
	"github.com/followspan/followspan/examples/checkout/internal/process"
	"github.com/followspan/followspan/examples/checkout/internal/telemetry"
)

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
	inventory, err := process.Dial("inventory")
	if err != nil {
		return err
	}
	defer inventory.Close()
	payment, err := process.Dial("payment")
	if err != nil {
		return err
	}
	defer payment.Close()
	broker, err := orders.Connect("checkout")
	if err != nil {
		return err
	}
	defer broker.Close()
	s := &server{
		fault:         f,
		inventoryConn: inventory,
		inventory:     pb.NewInventoryClient(inventory),
		payment:       pb.NewPaymentClient(payment),
		broker:        broker,
	}
	return process.ServeGRPC(ctx, func(r grpc.ServiceRegistrar) { pb.RegisterCheckoutServer(r, s) })
}

type server struct {
	pb.UnimplementedCheckoutServer
	fault         fault.Fault
	inventoryConn grpc.ClientConnInterface
	inventory     pb.InventoryClient
	payment       pb.PaymentClient
	broker        *orders.Broker
}

// An order is one checkout on its way through the steps, which fill it in.
type order struct {
	id    string
	items []*pb.Item
	// prices holds what one piece of each item costs, in cents.
	prices []int64
	// shipping and amount are in cents; amount is the total.
	shipping, amount int64
}

type step func(context.Context, *order) error

// Place takes one basket through all steps, and stops at the first that fails.
func (s *server) Place(ctx context.Context, r *pb.PlaceRequest) (*pb.PlaceReply, error) {
	o := &order{id: uuid.NewString(), items: r.Items}
	ctx = telemetry.Annotate(ctx, attribute.String("order.id", o.id))
	for _, next := range s.steps() {
		if err := next(ctx, o); err != nil {
			return nil, err
		}
	}
	return &pb.PlaceReply{OrderId: o.id, Amount: o.amount}, nil
}

// steps returns what a checkout does, in order. The stock is reserved before
// the card is charged, so that nobody pays for what is sold out.
func (s *server) steps() []step {
	if s.fault == fault.Reversed {
		return []step{s.lookUpPrices, s.quoteShipping, s.total, s.charge, s.reserve, s.publish}
	}
	return []step{s.lookUpPrices, s.quoteShipping, s.reserve, s.total, s.charge, s.publish}
}
