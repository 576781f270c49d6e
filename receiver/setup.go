package receiver

import (
	"fmt"
	"net"
	"strings"
)

// Setup is what a service's environment must hold for its spans to arrive, in the
// variables of the OpenTelemetry specification.
type Setup struct {
	Endpoint    string // OTEL_EXPORTER_OTLP_ENDPOINT
	Protocol    string // OTEL_EXPORTER_OTLP_PROTOCOL
	Certificate string // file to trust, where the endpoint speaks TLS
	TokenFile   string // file with the bearer token, where one is asked for
}

// variable is one of the environment.
type variable struct{ name, value string }

func (s Setup) variables(token string) []variable {
	all := []variable{
		{"OTEL_TRACES_EXPORTER", "otlp"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", s.Endpoint},
		{"OTEL_EXPORTER_OTLP_PROTOCOL", s.Protocol},
		{"OTEL_BSP_SCHEDULE_DELAY", "100"},
	}
	if s.Certificate != "" {
		all = append(all, variable{"OTEL_EXPORTER_OTLP_CERTIFICATE", s.Certificate})
	}
	if s.TokenFile != "" {
		all = append(all, variable{"OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20" + token})
	}
	return all
}

// Shell is for a POSIX shell.
func (s Setup) Shell() string {
	var b strings.Builder
	for _, v := range s.variables("$(cat " + quote(s.TokenFile) + ")") {
		value := quote(v.value)
		if strings.HasSuffix(v.name, "_HEADERS") {
			value = `"` + v.value + `"` // the shell is to read the file
		}
		fmt.Fprintf(&b, "export %s=%s\n", v.name, value)
	}
	return b.String()
}

// quote leaves words alone that a shell does not read anything into.
func quote(word string) string {
	if word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:%=[]") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// Compose is what to put under a service of Docker Compose. Within containers the
// machine that runs them goes by the name host.docker.internal.
func (s Setup) Compose() string {
	var b strings.Builder
	b.WriteString("environment:\n")
	s.Endpoint = s.at("host.docker.internal")
	for _, v := range s.variables("<token>") {
		fmt.Fprintf(&b, "  %s: %q\n", v.name, v.value)
	}
	b.WriteString("extra_hosts: [\"host.docker.internal:host-gateway\"]\n")
	return b.String()
}

// Kubernetes is what to put under a container of a pod, which reaches this machine
// as host.
func (s Setup) Kubernetes(host string) string {
	var b strings.Builder
	b.WriteString("env:\n")
	s.Endpoint = s.at(host)
	for _, v := range s.variables("<token>") {
		fmt.Fprintf(&b, "- {name: %s, value: %q}\n", v.name, v.value)
	}
	return b.String()
}

// at is the endpoint by another name of its host.
func (s Setup) at(host string) string {
	scheme, address, _ := strings.Cut(s.Endpoint, "://")
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return s.Endpoint
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}
