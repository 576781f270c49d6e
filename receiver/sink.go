package receiver

import (
	"context"
	"errors"

	"github.com/followspan/followspan/trace"
)

// Sink is where decoded spans go. Consume is called from many goroutines, once a
// request that brought spans, and may keep the batch. The request is acknowledged
// when it returns nil. After an error made by [Permanent] the sender is told not to
// try again; any other error asks it to retry. The context ends when the sender
// goes away.
type Sink interface {
	Consume(context.Context, trace.Batch) error
}

// SinkFunc is a function that serves as a [Sink].
type SinkFunc func(context.Context, trace.Batch) error

// Consume calls f.
func (f SinkFunc) Consume(ctx context.Context, b trace.Batch) error { return f(ctx, b) }

type permanentError struct{ error }

func (e permanentError) Unwrap() error { return e.error }

// Permanent marks an error of a Sink as one that a retry cannot mend.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanentError{err}
}

// IsPermanent reports whether err, or one that it wraps, was made by [Permanent].
func IsPermanent(err error) bool {
	var p permanentError
	return errors.As(err, &p)
}
