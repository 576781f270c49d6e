package trace

// ResourceData is a resource as a sender described it. The Builder copies it.
type ResourceData struct {
	Attrs     []Attr
	Dropped   uint32
	SchemaURL string
}

// ScopeData is an instrumentation scope as a sender described it.
type ScopeData struct {
	Name, Version string
	Attrs         []Attr
	Dropped       uint32
	SchemaURL     string
}

// SpanData is a span as a sender described it. The Builder copies it, strings
// included, so its slices may be reused and its strings may alias a buffer.
type SpanData struct {
	TraceID       TraceID
	ID, Parent    SpanID
	Name          string
	Kind          Kind
	Start, End    Time
	Status        Status
	StatusMessage string
	TraceState    string
	Flags         uint32
	Attrs         []Attr
	Events        []EventData
	Links         []LinkData
	DroppedAttrs  uint32
	DroppedEvents uint32
	DroppedLinks  uint32
}

// EventData is an event as a sender described it.
type EventData struct {
	Name    string
	Time    Time
	Attrs   []Attr
	Dropped uint32
}

// LinkData is a link as a sender described it.
type LinkData struct {
	TraceID    TraceID
	SpanID     SpanID
	TraceState string
	Flags      uint32
	Attrs      []Attr
	Dropped    uint32
}
