package otlp

import (
	"bytes"
	"fmt"
	"math"
	"strings"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/followspan/followspan/trace"
)

// serviceName is the attribute that names a resource's service.
const serviceName = "service.name"

// Decoder writes requests into a Builder. It is used by one goroutine at a time
// and keeps its scratch memory between requests. The caller commits the Builder
// after a request that was decoded and rolls it back after an error.
type Decoder struct {
	b      *trace.Builder
	limits Limits

	resource trace.ResourceData
	scope    trace.ScopeData
	span     trace.SpanData
	inner    []trace.Attr // of the span's events and links

	resourceValues trace.ValueWriter
	values         trace.ValueWriter // of the scope, then of each span

	attributes int // that the span may still have
	elements   int // that the request may still have
	refusals   []Refusal
}

// NewDecoder returns a Decoder that writes into b.
func NewDecoder(b *trace.Builder, l Limits) *Decoder {
	return &Decoder{b: b, limits: l.withDefaults()}
}

// Protobuf decodes an ExportTraceServiceRequest, or TracesData, which is the same on
// the wire. Spans that cannot be kept are left out and returned; an error, always an
// [*Error], refuses the whole request. Nothing is kept of data.
func (d *Decoder) Protobuf(data []byte) ([]Refusal, error) {
	d.elements, d.refusals = d.limits.Elements, nil
	if err := d.request(data); err != nil {
		return nil, explain(err, data, likeGzip, likeZstd, likeJSON)
	}
	return d.refusals, nil
}

// JSON is Protobuf for the JSON encoding.
func (d *Decoder) JSON(data []byte) ([]Refusal, error) {
	if bytes.Count(data, []byte("{")) > d.limits.Objects && objects(data) > d.limits.Objects && brackets(data) <= maxJSON {
		return nil, refuse(TooMany, fmt.Sprintf("a request in JSON may have %d objects: send smaller batches", d.limits.Objects))
	}
	td, err := UnmarshalJSON(data)
	if err != nil {
		return nil, err
	}
	return d.Traces(td)
}

// Traces is Protobuf for what pdata has decoded. It only reads td.
func (d *Decoder) Traces(td ptrace.Traces) ([]Refusal, error) {
	data, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	if err != nil {
		return nil, malformed(err)
	}
	return d.Protobuf(data)
}

const requestResourceSpans = 1<<3 | wireBytes

var requestFields = knownFields("request", requestResourceSpans)

func (d *Decoder) request(b []byte) error {
	m := read(b)
	for m.next() {
		switch m.tag {
		case requestResourceSpans:
			m.check(d.resourceSpans(m.content))
		default:
			m.ignore(requestFields)
		}
	}
	return m.err
}

const (
	resourceSpansResource   = 1<<3 | wireBytes
	resourceSpansScopeSpans = 2<<3 | wireBytes
	resourceSpansSchemaURL  = 3<<3 | wireBytes
	resourceSpansOld        = 1000<<3 | wireBytes // scope_spans before OTLP 0.15
)

var resourceSpansFields = knownFields("ResourceSpans", resourceSpansResource, resourceSpansScopeSpans, resourceSpansSchemaURL)

// resourceSpans reads the resource first, wherever it stands: pdata writes it
// behind its spans.
func (d *Decoder) resourceSpans(b []byte) error {
	d.resource = trace.ResourceData{Attrs: d.resource.Attrs[:0]}
	d.resourceValues.Reset()
	d.attributes = math.MaxInt
	scopes := uint32(resourceSpansOld)
	m := read(b)
	for m.next() {
		switch m.tag {
		case resourceSpansResource:
			m.check(d.readResource(m.content))
		case resourceSpansSchemaURL:
			d.resource.SchemaURL = alias(m.content)
		case resourceSpansScopeSpans:
			scopes = resourceSpansScopeSpans
		default:
			m.ignore(resourceSpansFields)
		}
	}
	if m.err != nil {
		return m.err
	}
	d.b.SetResource(d.resource)
	m = read(b)
	for m.next() {
		if m.tag == scopes {
			m.check(d.scopeSpans(m.content))
		}
	}
	return m.err
}

const (
	resourceAttributes = 1<<3 | wireBytes
	resourceDropped    = 2<<3 | wireVarint
)

var resourceFields = knownFields("Resource", resourceAttributes, resourceDropped)

func (d *Decoder) readResource(b []byte) error {
	m := read(b)
	for m.next() {
		switch m.tag {
		case resourceAttributes:
			m.check(d.attribute(&d.resource.Attrs, m.content, &d.resourceValues))
		case resourceDropped:
			d.resource.Dropped = uint32(m.number)
		default:
			m.ignore(resourceFields)
		}
	}
	return m.err
}

const (
	scopeSpansScope     = 1<<3 | wireBytes
	scopeSpansSpans     = 2<<3 | wireBytes
	scopeSpansSchemaURL = 3<<3 | wireBytes
)

var scopeSpansFields = knownFields("ScopeSpans", scopeSpansScope, scopeSpansSpans, scopeSpansSchemaURL)

// scopeSpans reads the scope first, as resourceSpans does the resource.
func (d *Decoder) scopeSpans(b []byte) error {
	d.scope = trace.ScopeData{Attrs: d.scope.Attrs[:0]}
	d.values.Reset()
	d.attributes = math.MaxInt
	m := read(b)
	for m.next() {
		switch m.tag {
		case scopeSpansScope:
			m.check(d.readScope(m.content))
		case scopeSpansSchemaURL:
			d.scope.SchemaURL = alias(m.content)
		case scopeSpansSpans:
		default:
			m.ignore(scopeSpansFields)
		}
	}
	if m.err != nil {
		return m.err
	}
	d.b.SetScope(d.scope)
	m = read(b)
	for m.next() {
		if m.tag == scopeSpansSpans {
			m.check(d.take(m.content))
		}
	}
	return m.err
}

const (
	scopeName       = 1<<3 | wireBytes
	scopeVersion    = 2<<3 | wireBytes
	scopeAttributes = 3<<3 | wireBytes
	scopeDropped    = 4<<3 | wireVarint
)

var scopeFields = knownFields("InstrumentationScope", scopeName, scopeVersion, scopeAttributes, scopeDropped)

func (d *Decoder) readScope(b []byte) error {
	m := read(b)
	for m.next() {
		switch m.tag {
		case scopeName:
			d.scope.Name = alias(m.content)
		case scopeVersion:
			d.scope.Version = alias(m.content)
		case scopeAttributes:
			m.check(d.attribute(&d.scope.Attrs, m.content, &d.values))
		case scopeDropped:
			d.scope.Dropped = uint32(m.number)
		default:
			m.ignore(scopeFields)
		}
	}
	return m.err
}

// refuse books a span that is left out, each reason of a service once.
func (d *Decoder) refuse(reason Reason) {
	service := d.service()
	for i := len(d.refusals) - 1; i >= 0 && d.refusals[i].Service == service; i-- {
		if d.refusals[i].Reason == reason {
			d.refusals[i].Spans++
			return
		}
	}
	d.refusals = append(d.refusals, Refusal{reason, strings.Clone(service), 1})
}

// service is service.name of the resource, as long as the request is there.
func (d *Decoder) service() string {
	for _, a := range d.resource.Attrs {
		if a.Key != serviceName {
			continue
		}
		if a.Value.Kind() == trace.String {
			return a.Value.Str()
		}
		return a.Value.String()
	}
	return ""
}
