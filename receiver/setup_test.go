package receiver_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/followspan/followspan/receiver"
)

func TestSetup(t *testing.T) {
	plain := receiver.Setup{Endpoint: "http://127.0.0.1:4317", Protocol: "grpc"}
	secured := receiver.Setup{Endpoint: "https://127.0.0.1:4318", Protocol: "http/protobuf", Certificate: "my ca.pem", TokenFile: "it's.token"}
	for _, c := range []struct{ why, got, want string }{
		{"shell", plain.Shell(), `export OTEL_TRACES_EXPORTER=otlp
export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317
export OTEL_EXPORTER_OTLP_PROTOCOL=grpc
export OTEL_BSP_SCHEDULE_DELAY=100
`},
		{"shell, TLS and token", secured.Shell(), `export OTEL_TRACES_EXPORTER=otlp
export OTEL_EXPORTER_OTLP_ENDPOINT=https://127.0.0.1:4318
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
export OTEL_BSP_SCHEDULE_DELAY=100
export OTEL_EXPORTER_OTLP_CERTIFICATE='my ca.pem'
export OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer%20$(cat 'it'\''s.token')"
`},
		{"Compose", plain.Compose(), `environment:
  OTEL_TRACES_EXPORTER: "otlp"
  OTEL_EXPORTER_OTLP_ENDPOINT: "http://host.docker.internal:4317"
  OTEL_EXPORTER_OTLP_PROTOCOL: "grpc"
  OTEL_BSP_SCHEDULE_DELAY: "100"
extra_hosts: ["host.docker.internal:host-gateway"]
`},
		{"Kubernetes", secured.Kubernetes("fd00::1"), `env:
- {name: OTEL_TRACES_EXPORTER, value: "otlp"}
- {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: "https://[fd00::1]:4318"}
- {name: OTEL_EXPORTER_OTLP_PROTOCOL, value: "http/protobuf"}
- {name: OTEL_BSP_SCHEDULE_DELAY, value: "100"}
- {name: OTEL_EXPORTER_OTLP_CERTIFICATE, value: "my ca.pem"}
- {name: OTEL_EXPORTER_OTLP_HEADERS, value: "authorization=Bearer%20<token>"}
`},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.why, diff)
		}
	}
}
