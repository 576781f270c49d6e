package otlp

import "errors"

// Reason says in a few words why a span or a whole request was refused.
type Reason string

// Reasons to refuse one span.
const (
	ZeroTraceID       Reason = "trace id is all zero"
	ZeroSpanID        Reason = "span id is all zero"
	WrongTraceID      Reason = "trace id is not 16 bytes long"
	WrongSpanID       Reason = "span id is not 8 bytes long"
	WrongParentID     Reason = "parent span id is not 8 bytes long"
	WrongLink         Reason = "trace id or span id of a link has a wrong length"
	TooManyAttributes Reason = "too many attributes"
	TooManyEvents     Reason = "too many events or links"
)

// Reasons to refuse a request.
const (
	Malformed   Reason = "malformed request"
	TooDeep     Reason = "attribute nested too deeply"
	TooMany     Reason = "too many attributes, events and links"
	WrongSignal Reason = "not spans but another signal"
)

// Refusal counts spans of one service that were refused for one reason while the
// rest of their request was kept.
type Refusal struct {
	Reason  Reason
	Service string // service.name of the resource, "" if it has none
	Spans   int
}

// fault is the reason to refuse the span that is being read.
type fault Reason

func (f fault) Error() string { return string(f) }

// Error is a request that was refused as a whole.
type Error struct {
	Reason Reason
	Err    error // what is wrong, in words for the sender
}

func (e *Error) Error() string { return string(e.Reason) + ": " + e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

func refuse(reason Reason, message string) *Error {
	return &Error{reason, errors.New(message)}
}

func malformed(err error) error { return &Error{Malformed, err} }
