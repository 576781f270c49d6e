package otlp

import "errors"

// Reason says in a few words why a span or a whole request was refused.
type Reason string

const (
	ZeroTraceID Reason = "trace id is all zero"
	ZeroSpanID  Reason = "span id is all zero"
	Malformed   Reason = "malformed request"
	TooDeep     Reason = "attribute nested too deeply"
	WrongSignal Reason = "not spans but another signal"
)

// Refusal counts spans of one service that were refused for one reason while the
// rest of their request was kept.
type Refusal struct {
	Reason  Reason
	Service string // service.name of the resource, "" if it has none
	Spans   int
}

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
