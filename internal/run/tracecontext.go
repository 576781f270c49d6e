package run

import (
	"fmt"
	"io"
	"strings"

	"github.com/followspan/followspan/trace"
)

// TraceContext is what a system under test is told about the span that caused
// its work. The zero TraceContext tells nothing.
type TraceContext struct {
	TraceID trace.TraceID
	SpanID  trace.SpanID // of the span that causes
	RunID   string       // travels as baggage; letters, digits and -._~ only
}

// NewTraceContext starts a trace with ids read from random.
func NewTraceContext(random io.Reader, runID string) (TraceContext, error) {
	t := TraceContext{RunID: runID}
	for t.TraceID.IsZero() {
		if _, err := io.ReadFull(random, t.TraceID[:]); err != nil {
			return TraceContext{}, fmt.Errorf("draw a trace id: %w", err)
		}
	}
	for t.SpanID.IsZero() {
		if _, err := io.ReadFull(random, t.SpanID[:]); err != nil {
			return TraceContext{}, fmt.Errorf("draw a span id: %w", err)
		}
	}
	return t, nil
}

// Traceparent is the value of the W3C header, with the sampled flag; empty if
// there is no trace. https://www.w3.org/TR/trace-context/#traceparent-header
func (t TraceContext) Traceparent() string {
	if t.TraceID.IsZero() {
		return ""
	}
	return "00-" + t.TraceID.String() + "-" + t.SpanID.String() + "-01"
}

// Baggage is the value of the W3C header with the run's id behind what is set
// already.
func (t TraceContext) Baggage(already string) string {
	member := "followspan.run.id=" + t.RunID
	switch {
	case t.RunID == "" || strings.Contains(already, member):
		return already
	case already == "":
		return member
	}
	return already + "," + member
}
