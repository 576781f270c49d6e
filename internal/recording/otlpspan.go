package recording

import (
	"errors"

	"github.com/followspan/followspan/trace"
)

var kindNames = map[string]uint8{
	"SPAN_KIND_INTERNAL": uint8(trace.Internal), "SPAN_KIND_SERVER": uint8(trace.Server), "SPAN_KIND_CLIENT": uint8(trace.Client),
	"SPAN_KIND_PRODUCER": uint8(trace.Producer), "SPAN_KIND_CONSUMER": uint8(trace.Consumer),
}

var statusNames = map[string]uint8{"STATUS_CODE_OK": uint8(trace.Ok), "STATUS_CODE_ERROR": uint8(trace.Error)}

// guarded decodes one span and takes it. One that cannot be understood is reported,
// and if the reader is lenient those behind it are read all the same.
func (f *file) guarded(c *cursor, decode func(*cursor)) {
	start := c.at0()
	old := &f.span
	f.span = trace.SpanData{Attrs: old.Attrs[:0], Events: old.Events[:0], Links: old.Links[:0]}
	decode(c)
	if c.err == nil {
		switch {
		case f.span.TraceID.IsZero():
			c.fail(start, errors.New("the span's trace id is missing or all zero"))
		case f.span.ID.IsZero():
			c.fail(start, errors.New("the span's id is missing or all zero"))
		default:
			f.add()
			return
		}
	}
	if err := f.spanFault(c.at, c.err); err != nil {
		c.err = err
		return
	}
	c.err, c.i = nil, start
	c.skip()
}

func (f *file) otlpSpan(c *cursor) {
	s := &f.span
	if !c.enter('{', "a span") {
		return
	}
	for c.more() {
		switch c.key() {
		case "traceId", "trace_id":
			s.TraceID = c.traceID()
		case "spanId", "span_id":
			s.ID = c.spanID("span id")
		case "parentSpanId", "parent_span_id":
			s.Parent = c.spanID("parent span id")
		case "traceState", "trace_state":
			s.TraceState = c.str()
		case "name":
			s.Name = c.str()
		case "kind":
			s.Kind = trace.Kind(c.enum(kindNames))
		case "startTimeUnixNano", "start_time_unix_nano":
			s.Start = c.time()
		case "endTimeUnixNano", "end_time_unix_nano":
			s.End = c.time()
		case "attributes":
			s.Attrs = c.attributes(s.Attrs, trace.MaxValueDepth)
		case "events":
			s.Events = c.events(s.Events)
		case "links":
			s.Links = c.links(s.Links)
		case "status":
			s.Status, s.StatusMessage = c.status()
		case "flags":
			s.Flags = c.count()
		case "droppedAttributesCount", "dropped_attributes_count":
			s.DroppedAttrs = c.count()
		case "droppedEventsCount", "dropped_events_count":
			s.DroppedEvents = c.count()
		case "droppedLinksCount", "dropped_links_count":
			s.DroppedLinks = c.count()
		default:
			c.skip()
		}
	}
}

func (c *cursor) status() (code trace.Status, message string) {
	if !c.enter('{', "a status") {
		return 0, ""
	}
	for c.more() {
		switch c.key() {
		case "code":
			code = trace.Status(c.enum(statusNames))
		case "message":
			message = c.str()
		default:
			c.skip()
		}
	}
	return code, message
}

func (c *cursor) events(to []trace.EventData) []trace.EventData {
	if !c.enter('[', "a list of events") {
		return to
	}
	for c.more() {
		if !c.enter('{', "an event") {
			continue
		}
		e := trace.EventData{Attrs: reuse(to).Attrs[:0]}
		for c.more() {
			switch c.key() {
			case "timeUnixNano", "time_unix_nano":
				e.Time = c.time()
			case "name":
				e.Name = c.str()
			case "attributes":
				e.Attrs = c.attributes(e.Attrs, trace.MaxValueDepth)
			case "droppedAttributesCount", "dropped_attributes_count":
				e.Dropped = c.count()
			default:
				c.skip()
			}
		}
		to = grow(c, to, e)
	}
	return to
}

func (c *cursor) links(to []trace.LinkData) []trace.LinkData {
	if !c.enter('[', "a list of links") {
		return to
	}
	for c.more() {
		if !c.enter('{', "a link") {
			continue
		}
		l := trace.LinkData{Attrs: reuse(to).Attrs[:0]}
		for c.more() {
			switch c.key() {
			case "traceId", "trace_id":
				l.TraceID = c.traceID()
			case "spanId", "span_id":
				l.SpanID = c.spanID("span id")
			case "traceState", "trace_state":
				l.TraceState = c.str()
			case "attributes":
				l.Attrs = c.attributes(l.Attrs, trace.MaxValueDepth)
			case "droppedAttributesCount", "dropped_attributes_count":
				l.Dropped = c.count()
			case "flags":
				l.Flags = c.count()
			default:
				c.skip()
			}
		}
		to = grow(c, to, l)
	}
	return to
}

// reuse is what an earlier span left behind the end of s, whose slices may be used
// again.
func reuse[T any](s []T) (old T) {
	if len(s) < cap(s) {
		old = s[:cap(s)][len(s)]
	}
	return old
}
