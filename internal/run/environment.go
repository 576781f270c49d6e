package run

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/followspan/followspan/store"
)

// Telemetry is what the OpenTelemetry SDKs in a child must know.
type Telemetry struct {
	Endpoint string // such as http://127.0.0.1:4317; it takes gRPC and HTTP
	// ExportBatch is how many spans an SDK sends at once; 0 is 1, with which a
	// span is here within a millisecond of its end.
	ExportBatch int
	Trace       TraceContext // zero: the child starts traces of its own
	// RunID marks the resources of children, so that the store knows whose SDKs
	// have read this environment. Empty: nothing does.
	RunID string
}

// exportQueue holds a burst: with the SDKs' default of 2048, ten thousand spans
// at once lose most of theirs.
const exportQueue = 65536

// elsewhere are variables that point an SDK's spans to, or are only fit for,
// another endpoint than ours. One that the user's shell happens to have is
// dropped.
var elsewhere = []string{
	"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
	"OTEL_EXPORTER_OTLP_INSECURE", "OTEL_EXPORTER_OTLP_TRACES_INSECURE",
	"OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
	"OTEL_EXPORTER_OTLP_CERTIFICATE", "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
	"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE",
	"OTEL_EXPORTER_OTLP_CLIENT_KEY", "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY",
	"TRACEPARENT", "TRACESTATE",
}

// ChildEnv returns the environment of a child: what this process inherited, with
// what t says, with what the flow file declares; each list holds KEY=value, and
// a later one wins, so that a flow file can overrule anything but TRACEPARENT.
// OTEL_EXPORTER_OTLP_PROTOCOL and OTEL_TRACES_EXPORTER are left as inherited, and
// run's id is added to a BAGGAGE that is set.
//
// The warnings, one sentence each, name settings that would keep spans from
// arriving.
func ChildEnv(inherited, declared []string, t Telemetry) (env, warnings []string) {
	e := environment{}
	e.setAll(inherited)
	for _, name := range elsewhere {
		e.unset(name)
	}
	e.setDefault("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
	e.setDefault("OTEL_TRACES_EXPORTER", "otlp")
	e.set("OTEL_EXPORTER_OTLP_ENDPOINT", t.Endpoint)
	e.set("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", strconv.Itoa(max(1, t.ExportBatch)))
	e.set("OTEL_BSP_MAX_QUEUE_SIZE", strconv.Itoa(max(exportQueue, t.ExportBatch)))
	e.reachLoopback()
	e.setAll(declared)
	e.mark(t.RunID)
	e.setTrace(t.Trace)
	return e.list, e.warnings()
}

// withTrace returns env with the trace context in place of any other.
func withTrace(env []string, t TraceContext) []string {
	e := environment{}
	e.setAll(env)
	e.unset("TRACESTATE")
	e.setTrace(t)
	return e.list
}

// environment is a list of KEY=value with each key once.
type environment struct{ list []string }

func (e *environment) index(name string) int {
	return slices.IndexFunc(e.list, func(s string) bool {
		return len(s) > len(name) && s[len(name)] == '=' && s[:len(name)] == name
	})
}

func (e *environment) value(name string) string {
	if i := e.index(name); i >= 0 {
		return e.list[i][len(name)+1:]
	}
	return ""
}

func (e *environment) set(name, value string) {
	if i := e.index(name); i >= 0 {
		e.list[i] = name + "=" + value
		return
	}
	e.list = append(e.list, name+"="+value)
}

// setDefault sets what is unset or empty; the OpenTelemetry specification
// treats both alike.
func (e *environment) setDefault(name, value string) {
	if e.value(name) == "" {
		e.set(name, value)
	}
}

func (e *environment) setAll(list []string) {
	for _, s := range list {
		// Windows keeps directories under names such as "=C:".
		if i := strings.IndexByte(s[min(1, len(s)):], '='); i >= 0 {
			e.set(s[:i+1], s[i+2:])
		}
	}
}

func (e *environment) unset(name string) {
	if i := e.index(name); i >= 0 {
		e.list = slices.Delete(e.list, i, i+1)
	}
}

func (e *environment) setTrace(t TraceContext) {
	if p := t.Traceparent(); p != "" {
		e.set("TRACEPARENT", p)
	}
	if b := t.Baggage(e.value("BAGGAGE")); b != "" {
		e.set("BAGGAGE", b)
	}
}

// mark adds the run's id to the attributes of resources, unless the queue was made
// too small to be relied on.
func (e *environment) mark(runID string) {
	if queue, err := strconv.Atoi(e.value("OTEL_BSP_MAX_QUEUE_SIZE")); runID == "" || err != nil || queue < exportQueue {
		return
	}
	attrs := store.RunAttribute + "=" + runID
	if already := e.value("OTEL_RESOURCE_ATTRIBUTES"); already != "" {
		attrs = already + "," + attrs
	}
	e.set("OTEL_RESOURCE_ATTRIBUTES", attrs)
}

// reachLoopback keeps SDKs from sending spans for 127.0.0.1 to a proxy; those of
// some languages would.
func (e *environment) reachLoopback() {
	proxied := slices.ContainsFunc([]string{"HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "grpc_proxy"},
		func(name string) bool { return e.value(name) != "" })
	if !proxied {
		return
	}
	for _, name := range []string{"NO_PROXY", "no_proxy"} {
		list := "127.0.0.1,localhost"
		if already := e.value(name); already != "" {
			list = already + "," + list
		}
		e.set(name, list)
	}
}

func (e *environment) warnings() []string {
	var all []string
	warn := func(name, why string) {
		all = append(all, fmt.Sprintf("%s=%s in the environment: %s", name, e.value(name), why))
	}
	if strings.EqualFold(e.value("OTEL_SDK_DISABLED"), "true") {
		warn("OTEL_SDK_DISABLED", "SDKs will send no spans; unset it")
	}
	if x := e.value("OTEL_TRACES_EXPORTER"); !listed(x, "otlp") {
		warn("OTEL_TRACES_EXPORTER", "SDKs will send no spans to followspan; unset it, or set it to otlp")
	}
	switch e.value("OTEL_TRACES_SAMPLER") {
	case "", "always_on", "parentbased_always_on":
	case "always_off":
		warn("OTEL_TRACES_SAMPLER", "SDKs will send no spans; unset it")
	default:
		warn("OTEL_TRACES_SAMPLER", "SDKs may leave traces out; unset it, or set it to always_on")
	}
	if x := e.value("OTEL_PROPAGATORS"); x != "" && !listed(x, "tracecontext") {
		warn("OTEL_PROPAGATORS", "services will not continue the trace of a trigger; add tracecontext")
	}
	return all
}

// listed reports whether word stands in a list with commas.
func listed(list, word string) bool {
	return slices.ContainsFunc(strings.Split(list, ","), func(s string) bool { return strings.TrimSpace(s) == word })
}
