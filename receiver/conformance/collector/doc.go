// Package collector holds tests that need the OpenTelemetry Collector: the table of
// conformance is run against its otlp receiver, and it stands in front of followspan.
// It is a module of its own, so that the Collector is no dependency of followspan's.
package collector
