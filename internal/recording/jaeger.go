package recording

import (
	"slices"
	"strings"

	"github.com/followspan/followspan/trace"
)

// jaegerReader decodes one trace of Jaeger's JSON, as its UI exports and its API
// answers. Attributes that stand for fields of OTLP become these again, by the rules
// of https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/jaeger/.
type jaegerReader struct {
	*file
	processes map[string]process
	current   string // the process that the builder was told of
	told      bool
	scope     trace.ScopeData
	process   string // of the span
	own       *process
}

type process struct {
	attrs []trace.Attr
}

// jaegerTrace decodes an object with spans and processes, which may stand behind
// the spans.
func (f *file) jaegerTrace(raw []byte) *cursor {
	f.report.Format = JaegerJSON
	c := f.cursor(raw)
	j := &jaegerReader{file: f, processes: map[string]process{}}
	var spans []int
	if c.enter('{', "a trace with spans and processes") {
		for c.more() {
			switch c.key() {
			case "spans":
				spans = append(spans, c.at0())
				c.skip()
			case "processes":
				j.readProcesses(c)
			default:
				c.skip()
			}
		}
	}
	for _, c.i = range spans {
		if c.enter('[', "a list of spans") {
			for c.more() {
				f.guarded(c, j.span)
			}
		}
	}
	return c
}

func (j *jaegerReader) readProcesses(c *cursor) {
	if !c.enter('{', "an object of processes") {
		return
	}
	for c.more() {
		name := strings.Clone(c.key())
		j.processes[name] = c.jaegerProcess()
	}
}

// noService is what Jaeger calls a service without a name.
const noService = "OTLPResourceNoServiceName"

func (c *cursor) jaegerProcess() process {
	service, tags := "", []trace.Attr(nil)
	if c.enter('{', "a process") {
		for c.more() {
			switch c.key() {
			case "serviceName":
				service = c.str()
			case "tags":
				tags = c.tags(tags)
			default:
				c.skip()
			}
		}
	}
	var p process
	if service != "" && service != noService {
		p.attrs = append(p.attrs, trace.Attr{Key: "service.name", Value: trace.StringValue(service)})
	}
	for _, t := range tags {
		switch t.Key {
		case "service.name":
			continue
		case "hostname":
			t.Key = "host.name"
		}
		p.attrs = append(p.attrs, t)
	}
	return p
}

func (j *jaegerReader) span(c *cursor) {
	s := &j.file.span
	j.process, j.own, j.scope = "", nil, trace.ScopeData{}
	if !c.enter('{', "a span") {
		return
	}
	duration, oldParent := int64(0), trace.SpanID{}
	for c.more() {
		switch c.key() {
		case "traceID", "traceId":
			s.TraceID = c.jaegerTraceID()
		case "spanID", "spanId":
			s.ID = c.jaegerSpanID()
		case "parentSpanID", "parentSpanId":
			oldParent = c.jaegerSpanID()
		case "flags":
			s.Flags = c.count() & 1 // the bits above mean other things than in OTLP
		case "operationName":
			s.Name = c.str()
		case "references":
			s.Links = c.references(s.Links)
		case "startTime":
			s.Start = micros(c.integer())
		case "duration":
			duration = c.integer()
		case "tags":
			s.Attrs = c.tags(s.Attrs)
		case "logs":
			s.Events = c.logs(s.Events)
		case "processID", "processId":
			j.process = c.str()
		case "process":
			p := c.jaegerProcess()
			j.own = &p
		case "warnings":
			j.warnings(c)
		default:
			c.skip()
		}
	}
	s.End = s.Start + micros(duration)
	chooseParent(s, oldParent)
	j.scope = meaning(s)
	j.tell()
}

// tell makes the builder know the span's resource and scope.
func (j *jaegerReader) tell() {
	switch {
	case j.own != nil:
		j.builder.SetResource(trace.ResourceData{Attrs: j.own.attrs})
		j.told = false
	case !j.told || j.process != j.current:
		j.builder.SetResource(trace.ResourceData{Attrs: j.processes[j.process].attrs})
		j.current, j.told = strings.Clone(j.process), true
	}
	j.builder.SetScope(j.scope)
}

// micros converts what Jaeger and Zipkin count in microseconds.
func micros(n int64) trace.Time { return trace.Time(max(n, 0)) * 1000 }

// warnings counts the spans whose times Jaeger changed, since it took their clocks
// to be wrong.
func (j *jaegerReader) warnings(c *cursor) {
	if !c.enter('[', "a list of warnings") {
		return
	}
	for c.more() {
		if strings.HasPrefix(c.scalar(), "This span's timestamps were adjusted") {
			j.report.Adjusted++
		}
	}
}

func (c *cursor) jaegerTraceID() (id trace.TraceID) {
	c.hexID(id[:])
	return id
}

func (c *cursor) jaegerSpanID() (id trace.SpanID) {
	c.hexID(id[:])
	return id
}

// hexID reads an id that is always in hex, but may lack leading zeros.
func (c *cursor) hexID(id []byte) {
	at := c.at0()
	if err := parseHex(id, c.str()); err != nil {
		c.fail(at, err)
	}
}

// refTypes are the values of the attribute opentracing.ref_type.
var refTypes = map[string]string{"CHILD_OF": "child_of", "FOLLOWS_FROM": "follows_from"}

const refTypeKey = "opentracing.ref_type"

// references reads all references as links.
func (c *cursor) references(to []trace.LinkData) []trace.LinkData {
	if !c.enter('[', "a list of references") {
		return to
	}
	for c.more() {
		if !c.enter('{', "a reference") {
			continue
		}
		l := trace.LinkData{Attrs: reuse(to).Attrs[:0]}
		kind := refTypes["CHILD_OF"]
		for c.more() {
			switch c.key() {
			case "refType":
				kind = refTypes[strings.ToUpper(c.str())]
			case "traceID", "traceId":
				l.TraceID = c.jaegerTraceID()
			case "spanID", "spanId":
				l.SpanID = c.jaegerSpanID()
			default:
				c.skip()
			}
		}
		l.Attrs = append(l.Attrs, trace.Attr{Key: refTypeKey, Value: trace.StringValue(kind)})
		to = grow(c, to, l)
	}
	return to
}

// chooseParent makes the first reference that says child of, or else the first
// that says follows from, within the trace the parent. The others stay links.
func chooseParent(s *trace.SpanData, old trace.SpanID) {
	child := trace.StringValue(refTypes["CHILD_OF"])
	first := -1
	for i, l := range s.Links {
		if l.TraceID != s.TraceID {
			continue
		}
		if l.Attrs[0].Value == child {
			s.Parent = l.SpanID
			// None behind the end may have attributes in common with one that stays: see reuse.
			s.Links = slices.Delete(s.Links, i, i+1)
			return
		}
		if first < 0 {
			first = i
		}
	}
	switch {
	case first >= 0:
		s.Parent = s.Links[first].SpanID
	default:
		s.Parent = old
	}
}

func (c *cursor) logs(to []trace.EventData) []trace.EventData {
	if !c.enter('[', "a list of logs") {
		return to
	}
	for c.more() {
		if !c.enter('{', "a log") {
			continue
		}
		e := trace.EventData{Attrs: reuse(to).Attrs[:0]}
		for c.more() {
			switch c.key() {
			case "timestamp":
				e.Time = micros(c.integer())
			case "fields":
				e.Attrs = c.tags(e.Attrs)
			default:
				c.skip()
			}
		}
		e.Name = takeText(&e.Attrs, "event")
		to = grow(c, to, e)
	}
	return to
}
