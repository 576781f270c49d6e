package otlp

import (
	"math"

	"github.com/followspan/followspan/trace"
)

const (
	spanTraceID       = 1<<3 | wireBytes
	spanSpanID        = 2<<3 | wireBytes
	spanTraceState    = 3<<3 | wireBytes
	spanParent        = 4<<3 | wireBytes
	spanName          = 5<<3 | wireBytes
	spanKind          = 6<<3 | wireVarint
	spanStart         = 7<<3 | wire64
	spanEnd           = 8<<3 | wire64
	spanAttributes    = 9<<3 | wireBytes
	spanDroppedAttrs  = 10<<3 | wireVarint
	spanEvents        = 11<<3 | wireBytes
	spanDroppedEvents = 12<<3 | wireVarint
	spanLinks         = 13<<3 | wireBytes
	spanDroppedLinks  = 14<<3 | wireVarint
	spanStatus        = 15<<3 | wireBytes
	spanFlags         = 16<<3 | wire32
)

var spanFields = knownFields("Span", spanTraceID, spanSpanID, spanTraceState, spanParent, spanName, spanKind, spanStart, spanEnd, spanAttributes,
	spanDroppedAttrs, spanEvents, spanDroppedEvents, spanLinks, spanDroppedLinks, spanStatus, spanFlags)

// take writes one span, or books why it is left out.
func (d *Decoder) take(b []byte) error {
	s := &d.span
	*s = trace.SpanData{Attrs: s.Attrs[:0], Events: s.Events[:0], Links: s.Links[:0]}
	d.inner = d.inner[:0]
	d.values.Reset()
	d.attributes = d.limits.Attributes
	if err := d.readSpan(s, b); err != nil {
		return d.leaveOut(b, err)
	}
	d.b.Add(s)
	return nil
}

// leaveOut books a span that has a fault, and returns an error that ends the request.
func (d *Decoder) leaveOut(b []byte, err error) error {
	f, ok := err.(fault)
	if signal := foreign(b, !ok); signal != "" {
		return wrongSignal(signal)
	}
	if !ok {
		return err
	}
	d.refuse(Reason(f))
	return nil
}

func (d *Decoder) readSpan(s *trace.SpanData, b []byte) error {
	var wrong fault
	m := read(b)
	for m.next() {
		switch m.tag {
		case spanAttributes:
			m.check(d.attribute(&s.Attrs, m.content, &d.values))
		case spanTraceID:
			id(s.TraceID[:], m.content, &wrong, WrongTraceID)
		case spanSpanID:
			id(s.ID[:], m.content, &wrong, WrongSpanID)
		case spanParent:
			id(s.Parent[:], m.content, &wrong, WrongParentID)
		case spanName:
			s.Name = alias(m.content)
		case spanKind:
			s.Kind = trace.Kind(small(m.number))
		case spanStart:
			s.Start = trace.Time(m.number)
		case spanEnd:
			s.End = trace.Time(m.number)
		case spanFlags:
			s.Flags = uint32(m.number)
		case spanTraceState:
			s.TraceState = alias(m.content)
		case spanStatus:
			m.check(readStatus(s, m.content))
		case spanEvents:
			m.check(d.event(s, m.content))
		case spanLinks:
			m.check(d.link(s, m.content, &wrong))
		case spanDroppedAttrs:
			s.DroppedAttrs = uint32(m.number)
		case spanDroppedEvents:
			s.DroppedEvents = uint32(m.number)
		case spanDroppedLinks:
			s.DroppedLinks = uint32(m.number)
		default:
			m.ignore(spanFields)
		}
	}
	switch {
	case m.err != nil:
		return m.err
	case wrong != "":
		return wrong
	case s.TraceID.IsZero():
		return fault(ZeroTraceID)
	case s.ID.IsZero():
		return fault(ZeroSpanID)
	}
	return nil
}

// id reads an id into to; an empty one is zero.
func id(to, content []byte, wrong *fault, reason Reason) {
	clear(to)
	if len(content) != len(to) && len(content) != 0 {
		*wrong = fault(reason)
		return
	}
	copy(to, content)
}

// small keeps the number of an enum, which is an int32 on the wire; one beyond a
// byte counts as unspecified.
func small(n uint64) uint8 {
	if n := int32(n); n >= 0 && n <= math.MaxUint8 {
		return uint8(n)
	}
	return 0
}

const (
	statusMessage = 2<<3 | wireBytes
	statusCode    = 3<<3 | wireVarint
)

var statusFields = knownFields("Status", statusMessage, statusCode)

func readStatus(s *trace.SpanData, b []byte) error {
	m := read(b)
	for m.next() {
		switch m.tag {
		case statusMessage:
			s.StatusMessage = alias(m.content)
		case statusCode:
			s.Status = trace.Status(small(m.number))
		default:
			m.ignore(statusFields)
		}
	}
	return m.err
}

const (
	eventTime       = 1<<3 | wire64
	eventName       = 2<<3 | wireBytes
	eventAttributes = 3<<3 | wireBytes
	eventDropped    = 4<<3 | wireVarint
)

var eventFields = knownFields("Event", eventTime, eventName, eventAttributes, eventDropped)

func (d *Decoder) event(s *trace.SpanData, b []byte) error {
	if len(s.Events) == d.limits.Events {
		return fault(TooManyEvents)
	}
	if err := d.element(); err != nil {
		return err
	}
	var e trace.EventData
	first := len(d.inner)
	m := read(b)
	for m.next() {
		switch m.tag {
		case eventTime:
			e.Time = trace.Time(m.number)
		case eventName:
			e.Name = alias(m.content)
		case eventAttributes:
			m.check(d.attribute(&d.inner, m.content, &d.values))
		case eventDropped:
			e.Dropped = uint32(m.number)
		default:
			m.ignore(eventFields)
		}
	}
	e.Attrs = d.inner[first:]
	s.Events = append(s.Events, e)
	return m.err
}

const (
	linkTraceID    = 1<<3 | wireBytes
	linkSpanID     = 2<<3 | wireBytes
	linkTraceState = 3<<3 | wireBytes
	linkAttributes = 4<<3 | wireBytes
	linkDropped    = 5<<3 | wireVarint
	linkFlags      = 6<<3 | wire32
)

var linkFields = knownFields("Link", linkTraceID, linkSpanID, linkTraceState, linkAttributes, linkDropped, linkFlags)

func (d *Decoder) link(s *trace.SpanData, b []byte, wrong *fault) error {
	if len(s.Links) == d.limits.Events {
		return fault(TooManyEvents)
	}
	if err := d.element(); err != nil {
		return err
	}
	var l trace.LinkData
	first := len(d.inner)
	m := read(b)
	for m.next() {
		switch m.tag {
		case linkTraceID:
			id(l.TraceID[:], m.content, wrong, WrongLink)
		case linkSpanID:
			id(l.SpanID[:], m.content, wrong, WrongLink)
		case linkTraceState:
			l.TraceState = alias(m.content)
		case linkAttributes:
			m.check(d.attribute(&d.inner, m.content, &d.values))
		case linkDropped:
			l.Dropped = uint32(m.number)
		case linkFlags:
			l.Flags = uint32(m.number)
		default:
			m.ignore(linkFields)
		}
	}
	l.Attrs = d.inner[first:]
	s.Links = append(s.Links, l)
	return m.err
}
