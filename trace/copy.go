package trace

import "iter"

// copier writes spans of other blocks into those of a Builder, which keep nothing
// of where they come from.
type copier struct {
	to       *Builder
	resource Resource // of the last span
	scope    Scope
	data     SpanData
	attrs    []Attr
}

func (c *copier) copy(s Span) {
	c.attrs = c.attrs[:0]
	if r := s.Resource(); r != c.resource {
		c.to.SetResource(ResourceData{Attrs: c.collect(r.Attrs()), Dropped: r.Dropped(), SchemaURL: r.SchemaURL()})
		c.resource, c.scope = r, Scope{}
	}
	if p := s.Scope(); p != c.scope {
		c.to.SetScope(ScopeData{Name: p.Name(), Version: p.Version(), Attrs: c.collect(p.Attrs()), Dropped: p.Dropped(), SchemaURL: p.SchemaURL()})
		c.scope = p
	}
	c.read(s)
	c.to.Add(&c.data)
}

func (c *copier) read(s Span) {
	d := &c.data
	*d = SpanData{
		TraceID: s.TraceID(), ID: s.ID(), Parent: s.ParentID(), Name: s.Name(), Kind: s.Kind(), Start: s.Start(), End: s.End(),
		Status: s.Status(), StatusMessage: s.StatusMessage(), TraceState: s.TraceState(), Flags: s.Flags(),
		Attrs: c.collect(s.Attrs()), Events: d.Events[:0], Links: d.Links[:0],
	}
	d.DroppedAttrs, d.DroppedEvents, d.DroppedLinks = s.Dropped()
	for e := range s.Events() {
		d.Events = append(d.Events, EventData{Name: e.Name(), Time: e.Time(), Attrs: c.collect(e.Attrs()), Dropped: e.Dropped()})
	}
	for l := range s.Links() {
		d.Links = append(d.Links, LinkData{
			TraceID: l.TraceID(), SpanID: l.SpanID(), TraceState: l.TraceState(), Flags: l.Flags(), Attrs: c.collect(l.Attrs()), Dropped: l.Dropped(),
		})
	}
}

func (c *copier) collect(attrs iter.Seq2[string, Value]) []Attr {
	from := len(c.attrs)
	for k, v := range attrs {
		c.attrs = append(c.attrs, Attr{Key: k, Value: v})
	}
	return c.attrs[from:len(c.attrs):len(c.attrs)]
}
