package run

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/followspan/followspan/trace"
)

// Action is what makes a flow happen: a request, or a command. It may be
// performed several times, also concurrently.
type Action interface {
	// String says what it does in a few words: METHOD URL, or the command line.
	String() string
	// Do performs the action exactly once, since what it does has effects, as
	// part of the span in t. It returns when the answer is complete, and soon
	// after ctx ends.
	Do(ctx context.Context, t TraceContext) Performed
}

// Performed is what came of an action.
type Performed struct {
	// Span is followspan's own client span for it, in the trace and with the id
	// that were given. It is complete also if the action went wrong.
	Span trace.SpanData
	// Response is the answer; nil if there is none, and for commands.
	Response *Response
	// Err is why there is no complete answer, or that a command failed. An HTTP
	// status, whatever it is, is an answer.
	Err error
	// ExitCode and Output are of a command, as in Step; else -1 and nil.
	ExitCode int
	Output   []string
	// Disorderly: it left or lost a process that could not send its last spans.
	Disorderly bool
}

// Step says what the action did as a step of the run.
func (p Performed) Step(a Action) Step {
	s := Step{
		Kind: StepTrigger, Name: a.String(), Duration: p.Span.End.Sub(p.Span.Start),
		ExitCode: p.ExitCode, Output: p.Output,
	}
	if p.Err != nil {
		s.Err = p.Err.Error()
	}
	return s
}

// Response is what an action was answered.
type Response struct {
	Status   int
	Header   http.Header
	Body     []byte // as sent, after decompression
	Cut      bool   // Body is only the beginning: it was longer than allowed
	Duration time.Duration
}

// ActionError says why an action came to no complete answer.
type ActionError struct {
	Class string // one of few words, which becomes the span's error.type
	What  string // one line
	Try   string // what would help; may be empty
	Err   error  // the cause; may be nil
}

// Error returns what is wrong and what to try, in one line.
func (e *ActionError) Error() string {
	if e.Try == "" {
		return e.What
	}
	return fmt.Sprintf("%s (%s)", e.What, e.Try)
}

func (e *ActionError) Unwrap() error { return e.Err }

// OwnResource is the resource of followspan's own spans. The instance is unique
// to the run.
func OwnResource(version, instance string) trace.ResourceData {
	return trace.ResourceData{Attrs: []trace.Attr{
		textAttr("service.name", "followspan"),
		textAttr("service.version", version),
		textAttr("service.instance.id", instance),
		textAttr("telemetry.sdk.language", "go"), // says how fine the clock is
	}}
}

// ownSpan starts the span of an action.
func ownSpan(t TraceContext, name string, attrs ...trace.Attr) trace.SpanData {
	return trace.SpanData{TraceID: t.TraceID, ID: t.SpanID, Name: name, Kind: trace.Client, Flags: sampled, Attrs: attrs}
}

// sampled is the W3C trace flag.
const sampled = 1

// fail marks the span as one that ended in an error.
func failSpan(s *trace.SpanData, class, message string) {
	s.Status, s.StatusMessage = trace.Error, message
	s.Attrs = append(s.Attrs, textAttr("error.type", class))
}

func textAttr(key, value string) trace.Attr {
	return trace.Attr{Key: key, Value: trace.StringValue(value)}
}

func intAttr(key string, value int) trace.Attr {
	return trace.Attr{Key: key, Value: trace.IntValue(int64(value))}
}
