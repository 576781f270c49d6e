package recording

import (
	"encoding/base64"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/followspan/followspan/trace"
)

// takeText removes an attribute and returns its text.
func takeText(attrs *[]trace.Attr, key string) string {
	for i, a := range *attrs {
		if a.Key == key && a.Value.Kind() == trace.String {
			*attrs = append((*attrs)[:i], (*attrs)[i+1:]...)
			return a.Value.Str()
		}
	}
	return ""
}

// tags reads a list of keys, types and values.
func (c *cursor) tags(to []trace.Attr) []trace.Attr {
	if !c.enter('[', "a list of tags") {
		return to
	}
	for c.more() {
		if !c.enter('{', "a tag") {
			continue
		}
		a, kind, at := trace.Attr{Value: trace.EmptyValue()}, "", -1
		for c.more() {
			switch c.key() {
			case "key":
				a.Key = c.str()
			case "type":
				kind = c.str()
			case "value":
				at = c.at0()
				c.skip()
			default:
				c.skip()
			}
		}
		if at >= 0 {
			end := c.i
			c.i = at
			a.Value = c.tagValue(strings.ToLower(kind))
			c.i = end
		}
		to = grow(c, to, a)
	}
	return to
}

func (c *cursor) tagValue(kind string) trace.Value {
	switch kind {
	case "string":
		return trace.StringValue(c.scalar())
	case "bool":
		return trace.BoolValue(c.boolean())
	case "int64":
		return trace.IntValue(c.integer())
	case "float64":
		return trace.DoubleValue(c.float())
	case "binary":
		at := c.at0()
		b, err := base64.StdEncoding.DecodeString(c.scalar())
		if err != nil {
			c.fail(at, fmt.Errorf("a binary tag is no base64: %w", err))
		}
		return trace.BytesValue(b)
	}
	return c.plain(trace.MaxValueDepth)
}

// meaning turns the tags that stand for fields of a span into these, and returns
// the scope that they name.
func meaning(s *trace.SpanData) trace.ScopeData {
	var scope trace.ScopeData
	description, kept := "", s.Attrs[:0]
	for _, a := range s.Attrs {
		text := a.Value.Str()
		switch a.Key {
		case "span.kind":
			s.Kind, _ = trace.ParseKind(text)
		case "otel.status_code":
			s.Status = max(s.Status, statusOf(text))
		case "otel.status_description":
			description = text
		case "otel.scope.name", "otel.library.name":
			scope.Name = text
		case "otel.scope.version", "otel.library.version":
			scope.Version = text
		case "w3c.tracestate":
			s.TraceState = text
		case "otel.dropped_attributes_count":
			s.DroppedAttrs = countOf(a.Value)
		case "otel.dropped_events_count":
			s.DroppedEvents = countOf(a.Value)
		case "otel.dropped_links_count":
			s.DroppedLinks = countOf(a.Value)
		case "internal.span.format": // how the span came to Jaeger
		case "error":
			if a.Value.Bool() || text == "true" {
				s.Status = trace.Error
				continue
			}
			kept = append(kept, a)
		default:
			kept = append(kept, a)
		}
	}
	s.Attrs, s.StatusMessage = kept, description
	return scope
}

// countOf reads a number of things that were dropped, as a text in Zipkin.
func countOf(v trace.Value) uint32 {
	n := v.Int()
	if v.Kind() == trace.String {
		n, _ = strconv.ParseInt(v.Str(), 10, 64)
	}
	return uint32(min(max(n, 0), math.MaxUint32))
}

func statusOf(text string) trace.Status {
	switch strings.TrimPrefix(strings.ToUpper(text), "STATUS_CODE_") {
	case "OK":
		return trace.Ok
	case "ERROR":
		return trace.Error
	}
	return trace.Unset
}
