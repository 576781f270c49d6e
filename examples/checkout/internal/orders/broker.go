package orders

import (
	"fmt"
	"net"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/followspan/followspan/examples/checkout/internal/process"
)

// A Broker is a client's connection to the message broker.
type Broker struct {
	jetstream.JetStream
	conn *nats.Conn
}

// Connect connects the named client to the broker; the caller closes it.
func Connect(client string) (*Broker, error) {
	address, err := process.Address("broker")
	if err != nil {
		return nil, err
	}
	conn, err := nats.Connect("nats://"+address, nats.Name(client))
	if err != nil {
		return nil, fmt.Errorf("connect to the broker: %w", err)
	}
	stream, err := jetstream.New(conn)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return &Broker{JetStream: stream, conn: conn}, nil
}

// Close ends the connection.
func (b *Broker) Close() {
	b.conn.Close()
}

// Attributes returns what a producer's and a consumer's span say alike about
// where the order went.
func (b *Broker) Attributes(o Order) []attribute.KeyValue {
	host, port, _ := net.SplitHostPort(b.conn.ConnectedAddr())
	number, _ := strconv.Atoi(port)
	return []attribute.KeyValue{
		semconv.MessagingSystemKey.String("nats"),
		semconv.MessagingDestinationName(Subject),
		semconv.ServerAddress(host),
		semconv.ServerPort(number),
		attribute.String("order.id", o.ID),
		attribute.Int64("order.amount", o.Amount),
	}
}
