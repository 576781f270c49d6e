// Package broker runs the message broker of the shop: a NATS server with
// JetStream, which knows nothing of OpenTelemetry.
package broker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/followspan/followspan/examples/checkout/internal/orders"
	"github.com/followspan/followspan/examples/checkout/internal/process"
)

// Run serves until the context ends.
func Run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "checkout-broker-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)

	broker, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT,
		JetStream: true, StoreDir: dir,
		NoSigs: true, NoLog: true,
	})
	if err != nil {
		return err
	}
	broker.Start()
	defer func() { broker.Shutdown(); broker.WaitForShutdown() }()
	if !broker.ReadyForConnections(10 * time.Second) {
		return errors.New("the NATS server does not accept connections")
	}
	if err := createStream(ctx, broker); err != nil {
		return fmt.Errorf("create the stream %s: %w", orders.Stream, err)
	}
	process.Announce(broker.Addr().String())
	<-ctx.Done()
	return nil
}

// createStream makes the stream for orders. It keeps a message as long as a
// consumer has an interest in it, so one that nobody is subscribed to is
// acknowledged and dropped.
func createStream(ctx context.Context, broker *server.Server) error {
	conn, err := nats.Connect("", nats.InProcessServer(broker))
	if err != nil {
		return err
	}
	defer conn.Close()
	streams, err := jetstream.New(conn)
	if err != nil {
		return err
	}
	_, err = streams.CreateStream(ctx, jetstream.StreamConfig{
		Name:      orders.Stream,
		Subjects:  []string{orders.Subject, orders.Subject + ".>"},
		Retention: jetstream.InterestPolicy,
		Storage:   jetstream.MemoryStorage,
	})
	return err
}
