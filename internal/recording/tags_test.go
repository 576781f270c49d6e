package recording

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What an SDK dropped stands in tags where a format has no field for it.
// https://opentelemetry.io/docs/specs/otel/common/mapping-to-non-otlp/
func TestDroppedCounts(t *testing.T) {
	for name, in := range map[string]string{
		"Jaeger": `{"data":[{"spans":[{"traceID":"1","spanID":"1","tags":[{"key":"otel.dropped_attributes_count","type":"int64","value":1},
			{"key":"otel.dropped_events_count","type":"int64","value":2},{"key":"otel.dropped_links_count","type":"string","value":"3"},{"key":"kept","value":"4"}]}]}]}`,
		"Zipkin": `[{"traceId":"1","id":"1","tags":{"otel.dropped_attributes_count":"1","otel.dropped_events_count":"2","otel.dropped_links_count":"3","kept":"4"}}]`,
	} {
		t.Run(name, func(t *testing.T) {
			spans, _ := mustRead(t, []byte(in))
			if attrs, events, links := spans[0].Dropped(); attrs != 1 || events != 2 || links != 3 {
				t.Errorf("dropped are %d attributes, %d events and %d links, want 1, 2 and 3", attrs, events, links)
			}
			for key := range spans[0].Attrs() {
				if key != "kept" {
					t.Errorf("the attribute %s is left", key)
				}
			}
		})
	}
}

// Of the tags of a Zipkin span those are the resource's that tell of who sent it.
func TestZipkinResource(t *testing.T) {
	in := `[{"traceId":"1","id":"1","localEndpoint":{"serviceName":"shop"},"tags":{"service.peer.name":"bank","service.version":"1.4","faas.trigger":"http","faas.name":"f","k8s.pod.uid":"u"}}]`
	want := "shop  internal unset 0+0\n  00000000000000000000000000000001 0000000000000001 < 0000000000000000\n" +
		`  resource service.name="shop" service.version="1.4" faas.name="f" k8s.pod.uid="u"` + "\n" +
		`  attrs service.peer.name="bank" faas.trigger="http"` + "\n"
	spans, _ := mustRead(t, []byte(in))
	if diff := cmp.Diff(want, describe(spans)); diff != "" {
		t.Errorf("spans (-want +got)\n%s", diff)
	}
}
