package recording

import "github.com/followspan/followspan/trace"

// resourceSpans is what an element of OTLP's resourceSpans holds.
type resourceSpans struct {
	resource trace.ResourceData
	scopes   []scopeSpans
	err      error // of a scope, behind which there may be more
	at       int
}

// scopeSpans is what an element of OTLP's scopeSpans holds.
type scopeSpans struct {
	scope trace.ScopeData
	spans []int // where lists of them start
}

// resourceSpans decodes an element of OTLP's resourceSpans. What its spans belong to
// may stand behind them, so these are decoded last.
func (f *file) resourceSpans(raw []byte) *cursor {
	if f.report.Format != RunBundle {
		f.report.Format = OTLPJSON
	}
	c := f.cursor(raw)
	found := c.resourceSpans()
	f.builder.SetResource(found.resource)
	for _, s := range found.scopes {
		f.builder.SetScope(s.scope)
		for _, c.i = range s.spans {
			f.spans(c)
		}
	}
	if found.err != nil {
		c.fail(found.at, found.err)
	}
	return c
}

// spans decodes a list of spans.
func (f *file) spans(c *cursor) {
	if c.enter('[', "a list of spans") {
		for c.more() {
			f.guarded(c, f.otlpSpan)
		}
	}
}

func (c *cursor) resourceSpans() (out resourceSpans) {
	if !c.enter('{', "an object with resource and scopeSpans") {
		return out
	}
	for c.more() {
		switch c.key() {
		case "resource":
			out.resource.Attrs, out.resource.Dropped = c.resource()
		case "schemaUrl", "schema_url":
			out.resource.SchemaURL = c.str()
		case "scopeSpans", "scope_spans", "instrumentationLibrarySpans":
			start := c.at0()
			out.scopes = c.scopes(out.scopes)
			if c.err != nil {
				out.err, out.at = c.err, c.at
				c.err, c.i = nil, start
				c.skip()
			}
		default:
			c.skip()
		}
	}
	return out
}

func (c *cursor) scopes(to []scopeSpans) []scopeSpans {
	if c.enter('[', "a list of scopeSpans") {
		for c.more() {
			to = append(to, c.scopeSpans())
		}
	}
	return to
}

func (c *cursor) scopeSpans() (out scopeSpans) {
	if !c.enter('{', "an object with scope and spans") {
		return out
	}
	for c.more() {
		switch c.key() {
		case "scope", "instrumentationLibrary":
			out.scope = c.scope(out.scope.SchemaURL)
		case "schemaUrl", "schema_url":
			out.scope.SchemaURL = c.str()
		case "spans":
			out.spans = append(out.spans, c.at0())
			c.skip()
		default:
			c.skip()
		}
	}
	return out
}

func (c *cursor) resource() (attrs []trace.Attr, dropped uint32) {
	if !c.enter('{', "a resource") {
		return nil, 0
	}
	for c.more() {
		switch c.key() {
		case "attributes":
			attrs = c.attributes(attrs, trace.MaxValueDepth)
		case "droppedAttributesCount", "dropped_attributes_count":
			dropped = c.count()
		default:
			c.skip()
		}
	}
	return attrs, dropped
}

func (c *cursor) scope(schema string) trace.ScopeData {
	s := trace.ScopeData{SchemaURL: schema}
	if !c.enter('{', "a scope") {
		return s
	}
	for c.more() {
		switch c.key() {
		case "name":
			s.Name = c.str()
		case "version":
			s.Version = c.str()
		case "attributes":
			s.Attrs = c.attributes(s.Attrs, trace.MaxValueDepth)
		case "droppedAttributesCount", "dropped_attributes_count":
			s.Dropped = c.count()
		default:
			c.skip()
		}
	}
	return s
}
