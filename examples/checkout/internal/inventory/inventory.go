// Package inventory knows what items cost and how many are left, in an SQLite
// database of its own.
package inventory

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/followspan/followspan/examples/checkout/internal/pb"
	"github.com/followspan/followspan/examples/checkout/internal/process"
	"github.com/followspan/followspan/examples/checkout/internal/telemetry"
	"github.com/followspan/followspan/examples/checkout/internal/work"
)

const (
	// pricingTime is how long a price takes: long enough for three that are
	// asked for together to overlap on a busy machine.
	pricingTime = 50 * time.Millisecond
	// shippingCost is what every parcel costs, in cents.
	shippingCost = 500
)

// Run serves until the context ends.
func Run(ctx context.Context) error {
	stop, err := telemetry.Start(ctx)
	if err != nil {
		return err
	}
	defer stop()
	dir, err := os.MkdirTemp("", "checkout-inventory-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	db, err := openDatabase(ctx, dir)
	if err != nil {
		return err
	}
	defer db.Close()
	return process.ServeGRPC(ctx, func(r grpc.ServiceRegistrar) {
		pb.RegisterInventoryServer(r, &server{db: db})
	})
}

type server struct {
	pb.UnimplementedInventoryServer
	db *sql.DB
}

// Price returns what one piece of the item costs.
func (s *server) Price(ctx context.Context, r *pb.PriceRequest) (*pb.PriceReply, error) {
	trace.SpanFromContext(ctx).SetAttributes(attribute.String("item.sku", r.Sku))
	reply := &pb.PriceReply{}
	row := s.db.QueryRowContext(ctx, "SELECT price FROM items WHERE sku = ?", r.Sku)
	switch err := row.Scan(&reply.Amount); {
	case errors.Is(err, sql.ErrNoRows):
		return nil, status.Errorf(codes.NotFound, "no item %q", r.Sku)
	case err != nil:
		return nil, err
	}
	return reply, work.Take(ctx, pricingTime)
}

// QuoteShipping returns what the parcel costs.
func (s *server) QuoteShipping(context.Context, *pb.QuoteShippingRequest) (*pb.QuoteShippingReply, error) {
	return &pb.QuoteShippingReply{Amount: shippingCost}, nil
}

// Reserve takes all items off the stock, or none.
func (s *server) Reserve(ctx context.Context, r *pb.ReserveRequest) (*pb.ReserveReply, error) {
	ctx = telemetry.Annotate(ctx, attribute.String("order.id", r.OrderId))
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() // does nothing after the commit
	for _, item := range r.Items {
		if err := reserve(ctx, tx, r.OrderId, item); err != nil {
			return nil, err
		}
	}
	return &pb.ReserveReply{}, tx.Commit()
}

func reserve(ctx context.Context, tx *sql.Tx, order string, item *pb.ReservedItem) error {
	taken, err := tx.ExecContext(ctx,
		"UPDATE items SET on_hand = on_hand - ? WHERE sku = ? AND on_hand >= ?",
		item.Quantity, item.Sku, item.Quantity)
	if err != nil {
		return err
	}
	switch rows, err := taken.RowsAffected(); {
	case err != nil:
		return err
	case rows == 0:
		return status.Errorf(codes.FailedPrecondition, "not enough of %q left", item.Sku)
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO reservations VALUES (?, ?, ?)", order, item.Sku, item.Quantity)
	return err
}
