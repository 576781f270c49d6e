package trace

import (
	"iter"
	"time"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// Resource is a service instance and its attributes, shared by all spans that it
// sent. Like a [Span] it is a view into a block.
type Resource struct {
	b *Block
	i uint32
}

func (r Resource) row() *resourceRow { return &r.b.resources[r.i] }

// Service is service.name, or "" if the resource has none.
func (r Resource) Service() string { return r.b.str(r.row().service) }

// Process names the process that read the clock: service.instance.id, else host
// and process.pid, else container.id or k8s.pod.uid; "" if none of these is
// given; see [Order.Process] then.
func (r Resource) Process() string { return r.b.str(r.row().process) }

// Host names the machine whose clock was read: host.id, else host.name, else
// k8s.node.name; "" if none of these is given.
func (r Resource) Host() string { return r.b.str(r.row().host) }

// Resolution is how far two timestamps of this process must differ to order
// them. JavaScript SDKs anchor to a clock of milliseconds, and an unknown SDK is
// taken to do so; the others read nanoseconds.
func (r Resource) Resolution() time.Duration { return time.Duration(r.row().resolution) }

// Attr returns the resource's attribute, the first if the key stands there twice.
func (r Resource) Attr(key string) (Value, bool) { return r.b.find(r.row().attrs, key) }

// Attrs yields the resource's attributes in the order in which they arrived.
func (r Resource) Attrs() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) { r.b.each(r.row().attrs, yield) }
}

// Dropped is how many attributes the SDK says it dropped.
func (r Resource) Dropped() uint32   { return r.row().dropped }
func (r Resource) SchemaURL() string { return r.b.str(r.row().schema) }

// Equal reports whether both resources say the same.
func (r Resource) Equal(q Resource) bool {
	return r == q || r.Dropped() == q.Dropped() && r.SchemaURL() == q.SchemaURL() && equalAttrs(r.b, r.row().attrs, q.b, q.row().attrs)
}

// Scope is the instrumentation library that made a span.
type Scope struct {
	b *Block
	i uint32
}

func (s Scope) row() *scopeRow { return &s.b.scopes[s.i] }

func (s Scope) Name() string                  { return s.b.str(s.row().name) }
func (s Scope) Version() string               { return s.b.str(s.row().version) }
func (s Scope) SchemaURL() string             { return s.b.str(s.row().schema) }
func (s Scope) Dropped() uint32               { return s.row().dropped }
func (s Scope) Attr(key string) (Value, bool) { return s.b.find(s.row().attrs, key) }

// Attrs yields the scope's attributes in the order in which they arrived.
func (s Scope) Attrs() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) { s.b.each(s.row().attrs, yield) }
}

// Equal reports whether both scopes say the same.
func (s Scope) Equal(t Scope) bool {
	return s == t || s.Name() == t.Name() && s.Version() == t.Version() && s.Dropped() == t.Dropped() &&
		s.SchemaURL() == t.SchemaURL() && equalAttrs(s.b, s.row().attrs, t.b, t.row().attrs)
}

// identity is what the order of events needs to know of a resource.
type identity struct {
	service, process, host string
	resolution             time.Duration
}

func identify(attrs []Attr) identity {
	get := func(key string) string {
		for _, a := range attrs {
			if a.Key != key {
				continue
			}
			if a.Value.Kind() == String {
				return a.Value.Str()
			}
			return a.Value.String()
		}
		return ""
	}
	id := identity{service: get(string(semconv.ServiceNameKey)), resolution: resolution(get(string(semconv.TelemetrySDKLanguageKey)))}
	for _, key := range []string{string(semconv.HostIDKey), string(semconv.HostNameKey), string(semconv.K8SNodeNameKey)} {
		if v := get(key); v != "" && id.host == "" {
			id.host = key + "=" + v
		}
	}
	id.process = processName(get, id)
	return id
}

func processName(get func(string) string, id identity) string {
	if v := get(string(semconv.ServiceInstanceIDKey)); v != "" {
		// An instance id is unique only within its service and namespace.
		return get(string(semconv.ServiceNamespaceKey)) + "/" + id.service + "/" + v
	}
	if pid := get(string(semconv.ProcessPIDKey)); pid != "" && id.host != "" {
		return id.host + " pid=" + pid
	}
	for _, key := range []string{string(semconv.ContainerIDKey), string(semconv.K8SPodUIDKey)} {
		if v := get(key); v != "" {
			return key + "=" + v
		}
	}
	return ""
}

func resolution(language string) time.Duration {
	switch language {
	case "", "nodejs", "webjs":
		return time.Millisecond
	}
	return 0
}
