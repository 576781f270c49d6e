package trace

import "time"

// Batch is what one request brought. Its spans are immutable; the receiver of a
// Batch may keep them.
type Batch struct {
	Spans    []Span
	Received Time
	// Sender is the peer's host:port: one value a connection, "" for spans that
	// came over none.
	Sender string
	// UserAgent is how the exporter calls itself, such as "OTel OTLP Exporter
	// Go/1.47.0 grpc-go/1.85.0", cut off where it is overly long; "" if it does not.
	UserAgent string
	// Refused is what the request held, or seems to have held, and was not taken:
	// data that will not come again.
	Refused []Refusal
}

// Refusal is data of a sender that was refused for good.
type Refusal struct {
	Service string // "" if it could not be read
	Reason  string // such as "trace id is all zero"
	Spans   int    // 0: a whole request, of how many spans nobody can tell
}

// Bounds of a [Lag].
const (
	leastLag = -time.Millisecond
	mostLag  = time.Minute
)

// Lag is how late a service instance exports: receive time less a span's end. The
// zero value has seen nothing. It is used by one goroutine at a time.
type Lag struct {
	// Most is the longest lag that was seen within bounds.
	Most time.Duration
	// Unknown is set once a lag was below -1 ms or above a minute: that says more
	// about clocks, or about times that were made up, than about lag.
	Unknown bool
}

// Observe takes a span into account that ended and was received at these times.
func (l *Lag) Observe(ended, received Time) {
	d := received.Sub(ended)
	if d < leastLag || d > mostLag {
		l.Unknown = true
		return
	}
	l.Most = max(l.Most, d)
}
