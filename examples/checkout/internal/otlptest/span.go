package otlptest

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
)

// A Span is one received span, in a shape that tests can compare.
type Span struct {
	Service, Name             string
	Kind                      trace.Span_SpanKind
	TraceID, SpanID, ParentID string
	Start, End                time.Time
	// Failed says that the status is an error.
	Failed bool
	// Attributes holds string, int64, float64 and bool values.
	Attributes, Resource map[string]any
	// Links holds the span ids of the linked spans.
	Links []string
}

// Spans are spans in order of arrival.
type Spans []Span

// Of returns the spans of a service that have the name and kind.
func (s Spans) Of(service, name string, kind trace.Span_SpanKind) Spans {
	var found Spans
	for _, span := range s {
		if span.Service == service && span.Name == name && span.Kind == kind {
			found = append(found, span)
		}
	}
	return found
}

// String returns one line for each span.
func (s Spans) String() string {
	var text strings.Builder
	for _, span := range s {
		fmt.Fprintf(&text, "%s %s %s failed=%t %v\n", span.Service, span.Name, span.Kind, span.Failed, span.Attributes)
	}
	return text.String()
}

func decode(request *collector.ExportTraceServiceRequest) Spans {
	var spans Spans
	for _, group := range request.ResourceSpans {
		resource := attributes(group.Resource.Attributes)
		for _, scope := range group.ScopeSpans {
			for _, span := range scope.Spans {
				spans = append(spans, decodeSpan(resource, span))
			}
		}
	}
	return spans
}

func decodeSpan(resource map[string]any, span *trace.Span) Span {
	service, _ := resource["service.name"].(string)
	decoded := Span{
		Service:    service,
		Name:       span.Name,
		Kind:       span.Kind,
		TraceID:    hex.EncodeToString(span.TraceId),
		SpanID:     hex.EncodeToString(span.SpanId),
		ParentID:   hex.EncodeToString(span.ParentSpanId),
		Start:      time.Unix(0, int64(span.StartTimeUnixNano)),
		End:        time.Unix(0, int64(span.EndTimeUnixNano)),
		Failed:     span.Status.GetCode() == trace.Status_STATUS_CODE_ERROR,
		Attributes: attributes(span.Attributes),
		Resource:   resource,
	}
	for _, link := range span.Links {
		decoded.Links = append(decoded.Links, hex.EncodeToString(link.SpanId))
	}
	return decoded
}

func attributes(list []*common.KeyValue) map[string]any {
	values := map[string]any{}
	for _, pair := range list {
		switch value := pair.Value.GetValue().(type) {
		case *common.AnyValue_StringValue:
			values[pair.Key] = value.StringValue
		case *common.AnyValue_IntValue:
			values[pair.Key] = value.IntValue
		case *common.AnyValue_DoubleValue:
			values[pair.Key] = value.DoubleValue
		case *common.AnyValue_BoolValue:
			values[pair.Key] = value.BoolValue
		}
	}
	return values
}
