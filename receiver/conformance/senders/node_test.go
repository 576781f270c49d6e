package senders

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// installNode installs the SDK for Node.js beside the script, into a folder of the
// test. The registry and the cache are npm's own business.
func installNode(t *testing.T) (dir string) {
	t.Helper()
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	dir = t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("node")); err != nil {
		t.Fatal(err)
	}
	run(t, dir, nil, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	return dir
}

func run(t *testing.T, dir string, env []string, program string, args ...string) (stdout, stderr string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), program, args...)
	command.Dir, command.Env = dir, append(os.Environ(), env...)
	var out, complaints bytes.Buffer
	command.Stdout, command.Stderr = &out, &complaints
	if err := command.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s%s", program, strings.Join(args, " "), err, &out, &complaints)
	}
	return out.String(), complaints.String()
}

func nodeEnv(e *endpoint, protocol, spans string) []string {
	return []string{
		"OTEL_EXPORTER_OTLP_PROTOCOL=" + protocol, "OTEL_EXPORTER_OTLP_ENDPOINT=" + e.HTTPEndpoint(), "SPANS=" + spans,
		"OTEL_TRACES_EXPORTER=otlp", "OTEL_METRICS_EXPORTER=none", "OTEL_LOGS_EXPORTER=none", "OTEL_SERVICE_NAME=node",
		"OTEL_BSP_MAX_EXPORT_BATCH_SIZE=100", "OTEL_BSP_MAX_QUEUE_SIZE=10000",
	}
}

func TestNodeSDK(t *testing.T) {
	dir := installNode(t)
	for _, protocol := range protocols {
		t.Run(protocol, func(t *testing.T) {
			e := start(t, 0)
			stdout, stderr := run(t, dir, nodeEnv(e, protocol, "1"), "node", "send.mjs")
			spans := e.spans(t)
			if id := strings.TrimSpace(stdout); id != spans[0].TraceID().String() || len(spans) != 2 {
				t.Errorf("%d spans of trace %s, want 2 of %s\n%s", len(spans), spans[0].TraceID(), id, stderr)
			}
			checkRoot(t, spans)
		})
		if protocol == "grpc" {
			continue // its exporter does not repeat what it was told to retry
		}
		t.Run(protocol+"/retries", func(t *testing.T) {
			e := start(t, 1)
			_, stderr := run(t, dir, nodeEnv(e, protocol, "250"), "node", "send.mjs")
			if names := e.names(t); names["query"] != 250 || names["place order"] != 1 {
				t.Errorf("spans %v, want 250 queries and a root\n%s", names, stderr)
			}
		})
	}
}
