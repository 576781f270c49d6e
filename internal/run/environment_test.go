package run

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func testContext() TraceContext {
	t, err := NewTraceContext(bytes.NewReader([]byte("0123456789abcdefABCDEFGH")), "r1")
	if err != nil {
		panic(err)
	}
	return t
}

const testTraceparent = "00-30313233343536373839616263646566-4142434445464748-01"

func TestChildEnv(t *testing.T) {
	ours := []string{
		"BAGGAGE=followspan.run.id=r1",
		"OTEL_BSP_MAX_EXPORT_BATCH_SIZE=1",
		"OTEL_BSP_MAX_QUEUE_SIZE=65536",
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317",
		"OTEL_EXPORTER_OTLP_PROTOCOL=grpc",
		"OTEL_TRACES_EXPORTER=otlp",
		"TRACEPARENT=" + testTraceparent,
	}
	for _, test := range []struct {
		reason              string
		inherited, declared []string
		change              []string // of ours, and what comes in addition
	}{
		{reason: "nothing inherited"},
		{reason: "others are kept, the last one of a name", inherited: []string{"A=1", "A=2=3", "=C:=x", "junk"}, change: []string{"A=2=3", "=C:=x"}},
		{reason: "another endpoint is dropped, with what belongs to it", inherited: []string{
			"OTEL_EXPORTER_OTLP_ENDPOINT=https://vendor", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=https://vendor/v1/traces",
			"OTEL_EXPORTER_OTLP_HEADERS=key=secret", "OTEL_EXPORTER_OTLP_INSECURE=false",
		}},
		{reason: "another trace is dropped", inherited: []string{"TRACEPARENT=00-1-2-00", "TRACESTATE=a=b"}},
		{reason: "baggage is added to", inherited: []string{"BAGGAGE=a=b"}, change: []string{"BAGGAGE=a=b,followspan.run.id=r1"}},
		{reason: "the protocol may be chosen", inherited: []string{"OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"}, change: []string{"OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"}},
		{reason: "empty is unset", inherited: []string{"OTEL_EXPORTER_OTLP_PROTOCOL=", "OTEL_TRACES_EXPORTER="}},
		{
			reason: "the file overrules", inherited: []string{"OTEL_BSP_MAX_QUEUE_SIZE=7"},
			declared: []string{"OTEL_BSP_MAX_EXPORT_BATCH_SIZE=50", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://collector:4317", "TRACEPARENT=mine"},
			change:   []string{"OTEL_BSP_MAX_EXPORT_BATCH_SIZE=50", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://collector:4317"},
		},
		{reason: "no proxy for us", inherited: []string{"http_proxy=http://proxy", "NO_PROXY=corp"}, change: []string{"http_proxy=http://proxy", "NO_PROXY=corp,127.0.0.1,localhost", "no_proxy=127.0.0.1,localhost"}},
	} {
		want := environment{slices.Clone(ours)}
		want.setAll(test.change)
		got, warnings := ChildEnv(test.inherited, test.declared, Telemetry{Endpoint: "http://127.0.0.1:4317", Trace: testContext()})
		slices.Sort(want.list)
		slices.Sort(got)
		if diff := cmp.Diff(want.list, got); diff != "" || warnings != nil {
			t.Errorf("%s: ChildEnv(%q, %q) (-want +got), warnings %q:\n%s", test.reason, test.inherited, test.declared, warnings, diff)
		}
	}
}

func TestChildEnvOfHeavyLoads(t *testing.T) {
	got, _ := ChildEnv(nil, nil, Telemetry{ExportBatch: 100_000})
	for _, want := range []string{"OTEL_BSP_MAX_EXPORT_BATCH_SIZE=100000", "OTEL_BSP_MAX_QUEUE_SIZE=100000"} {
		if !slices.Contains(got, want) {
			t.Errorf("no %s in %q", want, got)
		}
	}
	if s := strings.Join(got, " "); strings.Contains(s, "TRACEPARENT") || strings.Contains(s, "BAGGAGE") {
		t.Errorf("a trace that was not given in %q", got)
	}
}

func TestChildEnvWarnings(t *testing.T) {
	for _, test := range []struct{ setting, want string }{
		{"OTEL_SDK_DISABLED=True", "OTEL_SDK_DISABLED=True in the environment: SDKs will send no spans; unset it"},
		{"OTEL_SDK_DISABLED=false", ""},
		{"OTEL_TRACES_EXPORTER=none", "OTEL_TRACES_EXPORTER=none in the environment: SDKs will send no spans to followspan; unset it, or set it to otlp"},
		{"OTEL_TRACES_EXPORTER=console, otlp", ""},
		{"OTEL_TRACES_SAMPLER=always_off", "OTEL_TRACES_SAMPLER=always_off in the environment: SDKs will send no spans; unset it"},
		{"OTEL_TRACES_SAMPLER=traceidratio", "OTEL_TRACES_SAMPLER=traceidratio in the environment: SDKs may leave traces out; unset it, or set it to always_on"},
		{"OTEL_TRACES_SAMPLER=parentbased_always_on", ""},
		{"OTEL_PROPAGATORS=b3", "OTEL_PROPAGATORS=b3 in the environment: services will not continue the trace of a trigger; add tracecontext"},
		{"OTEL_PROPAGATORS=baggage,tracecontext", ""},
	} {
		_, warnings := ChildEnv([]string{test.setting}, nil, Telemetry{})
		if got := strings.Join(warnings, "\n"); got != test.want {
			t.Errorf("%s:\n got %q\nwant %q", test.setting, got, test.want)
		}
	}
}

func TestTraceContext(t *testing.T) {
	if got := testContext().Traceparent(); got != testTraceparent {
		t.Errorf("traceparent %s, want %s", got, testTraceparent)
	}
	if got := (TraceContext{}).Traceparent() + (TraceContext{}).Baggage(""); got != "" {
		t.Errorf("the zero TraceContext says %q", got)
	}
	zeros := append(make([]byte, 16), bytes.Repeat([]byte{7}, 24)...)
	if c, err := NewTraceContext(bytes.NewReader(zeros), ""); err != nil || c.TraceID.IsZero() {
		t.Errorf("after a draw of zeros: %v, %v", c, err)
	}
	if _, err := NewTraceContext(bytes.NewReader(zeros[:20]), ""); err == nil || err.Error() != "draw a trace id: unexpected EOF" {
		t.Errorf("without randomness: %v", err)
	}
}

func TestBaggageNamesTheRunOnce(t *testing.T) {
	c := testContext()
	if got := c.Baggage(c.Baggage("a=b")); got != "a=b,followspan.run.id=r1" {
		t.Errorf("baggage %q", got)
	}
}
