package receiver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/followspan/followspan/internal/otlp"
)

// failure is a request that was refused whole, in the terms of both protocols.
type failure struct {
	reason  string // for Stats
	code    codes.Code
	http    int
	message string        // for the sender
	hint    string        // for whoever configured the sender, said once
	retry   time.Duration // when to try again, of codes.Unavailable; see Server.refuse
}

// invalid refuses what no retry makes better (OTLP 1.x, "Bad Data").
func invalid(reason, message string) *failure {
	return &failure{reason: reason, code: codes.InvalidArgument, http: http.StatusBadRequest, message: message}
}

// loses reports whether data was refused for good that may have been spans.
func (f *failure) loses() bool {
	switch f.code {
	case codes.InvalidArgument, codes.ResourceExhausted, codes.Internal:
		return f.reason != string(otlp.WrongSignal)
	}
	return false
}

func undecodable(err error) *failure {
	var e *otlp.Error
	if !errors.As(err, &e) {
		return unavailable(err)
	}
	f := invalid(string(e.Reason), e.Error())
	if e.Reason == otlp.WrongSignal {
		f.hint = e.Err.Error() + ": set OTEL_EXPORTER_OTLP_ENDPOINT, which takes all signals, or the signal's own endpoint variable"
		f.message = f.hint
	}
	return f
}

func unsinkable(err error) *failure {
	if IsPermanent(err) {
		return invalid("not accepted", err.Error())
	}
	return unavailable(err)
}

// askedToRetry is the reason of requests that a retry will bring in.
const askedToRetry = "asked to retry"

// unavailable asks the sender to try again (OTLP 1.x, "OTLP/gRPC Throttling" and
// "OTLP/HTTP Throttling").
func unavailable(err error) *failure {
	f := &failure{reason: askedToRetry, code: codes.Unavailable, http: http.StatusServiceUnavailable, message: err.Error()}
	switch {
	case errors.Is(err, errBusy):
		f.http = http.StatusTooManyRequests
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		f.reason = "sender went away"
	}
	return f
}

func tooLarge(limit int) *failure {
	return &failure{
		reason: "request too large", code: codes.ResourceExhausted, http: http.StatusRequestEntityTooLarge,
		message: fmt.Sprintf("the request is larger than %d bytes, uncompressed: send smaller batches, see OTEL_BSP_MAX_EXPORT_BATCH_SIZE", limit),
	}
}

func internal(recovered any) *failure {
	return &failure{
		reason: "internal error", code: codes.Internal, http: http.StatusInternalServerError,
		message: fmt.Sprintf("internal error of followspan: %v", recovered),
		hint:    fmt.Sprintf("internal error of followspan, please report it: %v\n%s", recovered, debug.Stack()),
	}
}

// status is the failure as a google.rpc.Status, with the details that OTLP asks for.
func (f *failure) status() *status.Status {
	message := strings.ToValidUTF8(f.message, "\uFFFD") // else protobuf refuses it
	st := status.New(f.code, message)
	var detail protoadapt.MessageV1
	switch f.code {
	case codes.Unavailable:
		detail = &errdetails.RetryInfo{RetryDelay: durationpb.New(f.retry)}
	case codes.InvalidArgument:
		detail = &errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Description: message}}}
	default:
		return st
	}
	if with, err := st.WithDetails(detail); err == nil {
		return with
	}
	return st
}
