package collector

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/otlpjsonfilereceiver"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/nopexporter"
	"go.opentelemetry.io/collector/exporter/otlpexporter"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"

	"github.com/followspan/followspan/receiver/conformance"
)

func factories() (f otelcol.Factories, err error) {
	f.Telemetry = otelconftelemetry.NewFactory()
	receivers, err := otelcol.MakeFactoryMap[receiver.Factory](otlpreceiver.NewFactory(), otlpjsonfilereceiver.NewFactory())
	exporters, err2 := otelcol.MakeFactoryMap[exporter.Factory](nopexporter.NewFactory(), otlpexporter.NewFactory(), otlphttpexporter.NewFactory())
	f.Receivers, f.Exporters = receivers, exporters
	return f, errors.Join(err, err2)
}

// start starts a Collector that receives OTLP and exports it as the configuration of
// one exporter says, in YAML. The end of the test stops it.
func start(t *testing.T, name, exporter string) conformance.Target {
	t.Helper()
	at := conformance.Target{GRPC: freePort(t), HTTP: freePort(t)}
	run(t, `otlp: {protocols: {grpc: {endpoint: "`+at.GRPC+`"}, http: {endpoint: "`+at.HTTP+`"}}}`, name+`: {`+exporter+`}`, "traces", "metrics", "logs")
	await(t, at.GRPC)
	await(t, at.HTTP)
	return at
}

// run runs a Collector with one receiver and one exporter, which are "NAME: {...}",
// until the test ends.
func run(t *testing.T, receiver, exporter string, signals ...string) {
	t.Helper()
	config := `
receivers: {` + receiver + `}
exporters: {` + exporter + `}
service:
  telemetry: {metrics: {level: none}, logs: {level: fatal}}
  pipelines:`
	for _, signal := range signals {
		name := func(component string) string { before, _, _ := strings.Cut(component, ":"); return before }
		config += "\n    " + signal + ": {receivers: [" + name(receiver) + "], exporters: [" + name(exporter) + "]}"
	}
	c, err := otelcol.NewCollector(otelcol.CollectorSettings{
		BuildInfo: component.NewDefaultBuildInfo(), Factories: factories, DisableGracefulShutdown: true,
		ConfigProviderSettings: otelcol.ConfigProviderSettings{ResolverSettings: confmap.ResolverSettings{
			URIs: []string{"yaml:" + strings.TrimSpace(config)}, ProviderFactories: []confmap.ProviderFactory{yamlprovider.NewFactory()},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Run(context.Background()) }()
	t.Cleanup(func() {
		c.Shutdown()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// freePort is an address that was free a moment ago: the Collector does not say on
// which port it listens.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// await returns once somebody listens.
func await(t *testing.T, address string) {
	t.Helper()
	for {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		if err == nil {
			c.Close()
			return
		}
		if t.Context().Err() != nil {
			t.Fatal(err)
		}
	}
}
