package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/followspan/followspan/internal/otlp"
	"github.com/followspan/followspan/trace"
)

// Traces is where spans are found, such as a store. It may be used concurrently.
type Traces interface {
	// Trace returns the spans of a trace, none if it is unknown.
	Trace(trace.TraceID) []trace.Span
	// TraceIDs returns all traces, the newest first.
	TraceIDs() []trace.TraceID
}

// TracePattern is the route of [Trace], as [http.ServeMux] writes it.
const TracePattern = "GET /api/traces/{traceID}"

// shownTraces is how many traces an answer names in place of one.
const shownTraces = 10

// problem answers what was not found.
type problem struct {
	Error  string   `json:"error"`
	Hint   string   `json:"hint,omitempty"`
	Traces []string `json:"traces,omitempty"` // some that there are, or that may be meant
}

// Trace answers [TracePattern] with a trace as OTLP JSON, all of it that was
// received. The id may be in upper case, lack leading zeros as tracers with ids of
// 64 bits write it, or be the beginning of one.
func Trace(from Traces) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, p := find(from, r.PathValue("traceID"))
		if p != nil {
			body, err := json.MarshalIndent(p, "", "  ")
			respond(w, http.StatusNotFound, append(body, '\n'), err)
			return
		}
		body, err := otlp.EncodeJSON(from.Trace(id))
		respond(w, http.StatusOK, body, err)
	})
}

func respond(w http.ResponseWriter, code int, body []byte, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(code)
	_, _ = w.Write(body) // whoever asked may have gone
}

const idDigits = 2 * len(trace.TraceID{})

// find returns the trace that is meant, or what to say instead.
func find(from Traces, asked string) (trace.TraceID, *problem) {
	digits := strings.ToLower(asked)
	if len(digits) > idDigits || strings.Trim(digits, "0123456789abcdef") != "" {
		return trace.TraceID{}, &problem{Error: fmt.Sprintf("%q is no trace id", asked), Hint: "a trace id has 32 hexadecimal digits; its first ones suffice"}
	}
	all := from.TraceIDs()
	var meant []trace.TraceID
	for _, id := range all {
		switch full := id.String(); {
		case full == strings.Repeat("0", idDigits-len(digits))+digits:
			return id, nil
		case strings.HasPrefix(full, digits), strings.HasPrefix(strings.TrimLeft(full, "0"), digits):
			meant = append(meant, id)
		}
	}
	switch len(meant) {
	case 1:
		return meant[0], nil
	case 0:
		return trace.TraceID{}, unknown(asked, all)
	}
	return trace.TraceID{}, &problem{Error: fmt.Sprintf("%d traces begin with %s", len(meant), asked), Hint: "give more digits", Traces: some(meant)}
}

func unknown(asked string, all []trace.TraceID) *problem {
	p := &problem{Error: fmt.Sprintf("no span of trace %s was received", asked), Traces: some(all)}
	switch len(all) {
	case 0:
		p.Hint = "nothing was received yet: does OTEL_EXPORTER_OTLP_ENDPOINT of the services name this address?"
	case 1:
		p.Hint = "another trace was received; SDKs export up to 5 s after a span has ended, see OTEL_BSP_SCHEDULE_DELAY"
	default:
		p.Hint = fmt.Sprintf("%d others were received, the newest of which are listed; SDKs export up to 5 s after a span has ended, see OTEL_BSP_SCHEDULE_DELAY", len(all))
	}
	return p
}

func some(ids []trace.TraceID) (names []string) {
	for _, id := range ids[:min(len(ids), shownTraces)] {
		names = append(names, id.String())
	}
	return names
}
