package recording

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/followspan/followspan/trace"
)

// zipkinSpan decodes one span of Zipkin's JSON, version 2
// (https://zipkin.io/zipkin-api/#/default/post_spans). Tags that stand for fields
// of OTLP become these again, by the rules of
// https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/zipkin/.
func (f *file) zipkinSpan(raw []byte) *cursor {
	f.report.Format = ZipkinJSON
	c := f.cursor(raw)
	f.guarded(c, f.readZipkin)
	return c
}

var zipkinKinds = map[string]trace.Kind{
	"": trace.Internal, "CLIENT": trace.Client, "SERVER": trace.Server, "PRODUCER": trace.Producer, "CONSUMER": trace.Consumer,
}

func (f *file) readZipkin(c *cursor) {
	s := &f.span
	if !c.enter('{', "a span") {
		return
	}
	var local, remote endpoint
	duration := int64(0)
	s.Kind = trace.Internal
	for c.more() {
		at := c.i
		switch c.key() {
		case "traceId":
			c.hexID(s.TraceID[:])
		case "id":
			c.hexID(s.ID[:])
		case "parentId":
			c.hexID(s.Parent[:])
		case "kind":
			s.Kind = zipkinKinds[strings.ToUpper(c.str())]
		case "name":
			s.Name = c.str()
		case "timestamp":
			s.Start = micros(c.integer())
		case "duration":
			duration = c.integer()
		case "localEndpoint":
			local = c.endpoint()
		case "remoteEndpoint":
			remote = c.endpoint()
		case "annotations":
			s.Events = c.annotations(s.Events)
		case "tags":
			s.Attrs = c.zipkinTags(s.Attrs)
		case "binaryAnnotations":
			c.fail(at, errOldZipkin)
		default:
			c.skip()
		}
	}
	f.finishZipkin(c, local, remote, duration)
}

// finishZipkin gives the span what several members say together.
func (f *file) finishZipkin(c *cursor, local, remote endpoint, duration int64) {
	s := &f.span
	if s.Parent == s.ID {
		s.Parent = trace.SpanID{}
	}
	if s.Start == 0 { // a timestamp may be missing: then the annotations know best
		for _, e := range s.Events {
			if s.Start == 0 || e.Time < s.Start {
				s.Start = e.Time
			}
		}
	}
	if s.Start > 0 && duration > 0 { // which has one microsecond at least; without one nobody knows the end
		s.End = s.Start + micros(duration)
	}
	scope := meaning(s)
	c.takeLinks(s)
	s.Attrs = slices.DeleteFunc(s.Attrs, func(a trace.Attr) bool {
		if a.Key == "error" { // its text, which may be empty, says what is wrong
			s.Status, s.StatusMessage = trace.Error, a.Value.Str()
		}
		return a.Key == "error"
	})
	resource := takeResource(s, local.service)
	s.Attrs = local.attrs(s.Attrs, "network.local.address", "network.local.port")
	if remote.service != "" {
		s.Attrs = append(s.Attrs, trace.Attr{Key: "peer.service", Value: trace.StringValue(remote.service)})
	}
	s.Attrs = remote.attrs(s.Attrs, "network.peer.address", "network.peer.port")
	f.builder.SetResource(trace.ResourceData{Attrs: resource})
	f.builder.SetScope(scope)
}

var errOldZipkin = errors.New("this is version 1 of Zipkin's format: ask for version 2")

// endpoint is a party of a call.
type endpoint struct {
	service, address string
	port             int64
}

func (c *cursor) endpoint() (e endpoint) {
	if !c.enter('{', "an endpoint") {
		return e
	}
	for c.more() {
		switch c.key() {
		case "serviceName":
			e.service = c.str()
		case "ipv4", "ipv6":
			e.address = c.str()
		case "port":
			e.port = c.integer()
		default:
			c.skip()
		}
	}
	return e
}

func (e endpoint) attrs(to []trace.Attr, address, port string) []trace.Attr {
	if e.address != "" {
		to = append(to, trace.Attr{Key: address, Value: trace.StringValue(e.address)})
	}
	if e.port != 0 {
		to = append(to, trace.Attr{Key: port, Value: trace.IntValue(e.port)})
	}
	return to
}

func (c *cursor) annotations(to []trace.EventData) []trace.EventData {
	if !c.enter('[', "a list of annotations") {
		return to
	}
	for c.more() {
		if !c.enter('{', "an annotation") {
			continue
		}
		var e trace.EventData
		for c.more() {
			at := c.i
			switch c.key() {
			case "timestamp":
				e.Time = micros(c.integer())
			case "value":
				e.Name, e.Attrs, e.Dropped = c.annotation(c.str())
			case "endpoint":
				c.fail(at, errOldZipkin)
			default:
				c.skip()
			}
		}
		to = grow(c, to, e)
	}
	return to
}

// annotation reads what SDKs write for an event, name: attributes, and what the
// Collector writes, name|attributes|dropped. Any other text is the name.
func (c *cursor) annotation(value string) (name string, attrs []trace.Attr, dropped uint32) {
	if i := strings.Index(value, ": {"); i >= 0 {
		if attrs, ok := c.jsonAttrs(value[i+2:]); ok {
			return value[:i], attrs, 0
		}
	}
	name, rest, _ := strings.Cut(value, "|")
	last := strings.LastIndexByte(rest, '|')
	if last < 0 {
		return value, nil, 0
	}
	attrs, ok := c.jsonAttrs(rest[:last])
	n, err := strconv.ParseUint(rest[last+1:], 10, 32)
	if !ok || err != nil {
		return value, nil, 0
	}
	return name, attrs, uint32(n)
}

// jsonAttrs reads attributes written as a plain JSON object.
func (c *cursor) jsonAttrs(text string) ([]trace.Attr, bool) {
	raw := []byte(text)
	if !jsontext.Value(raw).IsValid(jsontext.AllowDuplicateNames(true)) {
		return nil, false
	}
	inner := &cursor{b: raw, most: c.most, room: c.room}
	if inner.next() != '{' {
		return nil, false
	}
	attrs := inner.plainFields(trace.MaxValueDepth)
	if c.room = inner.room; inner.err != nil {
		c.fail(c.i, inner.err)
	}
	return attrs, true
}

func (c *cursor) zipkinTags(to []trace.Attr) []trace.Attr {
	if !c.enter('{', "an object of tags") {
		return to
	}
	for c.more() {
		to = grow(c, to, trace.Attr{Key: c.key(), Value: trace.StringValue(c.scalar())})
	}
	return to
}

// takeLinks turns the tags otlp.link.N, which the Collector writes, into links.
func (c *cursor) takeLinks(s *trace.SpanData) {
	s.Attrs = slices.DeleteFunc(s.Attrs, func(a trace.Attr) bool {
		if !strings.HasPrefix(a.Key, "otlp.link.") {
			return false
		}
		l, ok := c.linkOf(a.Value.Str())
		if ok {
			s.Links = append(s.Links, l)
		}
		return ok
	})
}

// linkOf reads trace id|span id|trace state|attributes|dropped.
func (c *cursor) linkOf(text string) (l trace.LinkData, ok bool) {
	parts := strings.SplitN(text, "|", 4)
	if len(parts) < 4 {
		return l, false
	}
	last := strings.LastIndexByte(parts[3], '|')
	if last < 0 || parseHex(l.TraceID[:], parts[0]) != nil || parseHex(l.SpanID[:], parts[1]) != nil {
		return l, false
	}
	l.TraceState = parts[2]
	n, err := strconv.ParseUint(parts[3][last+1:], 10, 32)
	l.Dropped = uint32(n)
	l.Attrs, ok = c.jsonAttrs(parts[3][:last])
	return l, ok && err == nil
}

// resourceKeys are the starts of the attributes that exporters take from the
// resource, which Zipkin does not have.
var resourceKeys = []string{
	"service.", "telemetry.", "host.", "os.", "process.", "container.", "k8s.", "deployment.", "cloud.", "device.",
	"faas.name", "faas.version", "faas.instance", "faas.max_memory",
}

// peerKeys is the start of those that look like it and tell of who was called.
const peerKeys = "service.peer."

func takeResource(s *trace.SpanData, service string) []trace.Attr {
	var resource []trace.Attr
	if service != "" {
		resource = append(resource, trace.Attr{Key: "service.name", Value: trace.StringValue(service)})
	}
	s.Attrs = slices.DeleteFunc(s.Attrs, func(a trace.Attr) bool {
		ofResource := slices.ContainsFunc(resourceKeys, func(start string) bool { return strings.HasPrefix(a.Key, start) }) && !strings.HasPrefix(a.Key, peerKeys)
		if ofResource && a.Key != "service.name" {
			resource = append(resource, a)
		}
		return ofResource
	})
	return resource
}
