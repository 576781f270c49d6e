// Package orders is the agreement between those who publish orders and those
// who consume them: the stream, the message and its headers.
package orders

import (
	"maps"
	"slices"

	"github.com/nats-io/nats.go"
)

const (
	// Subject is where orders are published.
	Subject = "orders"
	// Stream is the JetStream stream that keeps them until they are consumed.
	Stream = "ORDERS"
)

// An Order is the message: one checkout that was paid for.
type Order struct {
	ID string `json:"id"`
	// Amount is what was paid, in cents.
	Amount int64 `json:"amount"`
}

// Headers carries trace context in the headers of a message. Unlike
// propagation.HeaderCarrier it keeps the case of the keys: NATS headers are
// case-sensitive, and W3C says traceparent.
type Headers nats.Header

// Get returns the value of the key, empty if there is none.
func (h Headers) Get(key string) string { return nats.Header(h).Get(key) }

// Set replaces the value of the key.
func (h Headers) Set(key, value string) { nats.Header(h).Set(key, value) }

// Keys returns all keys, sorted.
func (h Headers) Keys() []string { return slices.Sorted(maps.Keys(h)) }
