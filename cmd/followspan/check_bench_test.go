package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/followspan/followspan/internal/otlp/otlptest"
)

const checkBenchFlow = `version: 1
flows:
  order:
    origin: isRoot and %s
    expect:
      - spans.count == 10
      - all(spans, .http.response.status_code == 200)
    never:
      - status == "error"
`

// Origins of the flow: every trace, of ten spans, or a single one.
const (
	everyTrace = `http.route == "/api/v2/order/{id}"`
	oneTrace   = `enduser.id == "user-a0000009"`
)

// BenchmarkCheck checks a recorded file with the built program, and decodes it with
// pdata alone, in a process of its own, too: x-pdata is how many times the CPU the
// former takes of the latter. MiB is the most memory that the check took.
func BenchmarkCheck(b *testing.B) {
	program := filepath.Join(b.TempDir(), "followspan")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"traces.jsonl", "traces.binpb"} {
		for _, size := range []struct {
			spans, flows int
			origin       string
		}{{100_000, 10_000, everyTrace}, {1_000_000, 100_000, everyTrace}, {1_000_000, 1, oneTrace}} {
			b.Run(fmt.Sprintf("%s/spans=%d/flows=%d", name, size.spans, size.flows), func(b *testing.B) {
				benchmarkCheck(b, program, name, size.spans, fmt.Sprintf(checkBenchFlow, size.origin))
			})
		}
	}
}

func benchmarkCheck(b *testing.B, program, name string, spans int, file string) {
	path := filepath.Join(b.TempDir(), name)
	flow := filepath.Join(filepath.Dir(path), "bench.flow.yaml")
	if err := os.WriteFile(flow, []byte(file), 0o600); err != nil {
		b.Fatal(err)
	}
	if err := writeRequests(path, spans/otlptest.SpansPerRequest); err != nil {
		b.Fatal(err)
	}
	var check, alone time.Duration
	most := 0.0
	for b.Loop() {
		used := cpuOf(b, exec.Command(program, "check", flow, "--traces", path))
		check += used.cpu
		most = max(most, used.memory)
		alone += cpuOf(b, exec.Command("pdata-decode", path)).cpu
	}
	b.ReportMetric(float64(check)/float64(alone), "x-pdata")
	b.ReportMetric(float64(check.Nanoseconds())/float64(spans*b.N), "cpu-ns/span")
	b.ReportMetric(most, "MiB")
}

// writeRequests writes a recording as the Collector does.
func writeRequests(path string, requests int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(f)
	r := otlptest.Protobuf('a')
	for range requests {
		content := r.Next()
		if filepath.Ext(path) == ".binpb" {
			writeFrame(out, content)
			continue
		}
		td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(content)
		if err != nil {
			return err
		}
		line, err := (&ptrace.JSONMarshaler{}).MarshalTraces(td)
		if err != nil {
			return err
		}
		_, _ = out.Write(append(line, '\n'))
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return f.Close()
}

func writeFrame(out *bufio.Writer, content []byte) {
	_, _ = out.Write(binary.BigEndian.AppendUint32(nil, uint32(len(content)))) // Flush tells
	_, _ = out.Write(content)
}

// streamRequests is a program that writes a recording of so many spans to its
// standard output: write-requests SPANS.
func streamRequests() {
	spans, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	out, r := bufio.NewWriterSize(os.Stdout, 1<<20), otlptest.Protobuf('a')
	for range spans / otlptest.SpansPerRequest {
		writeFrame(out, r.Next())
	}
	if err := out.Flush(); err != nil {
		panic(err)
	}
}

// used is what a process took.
type used struct {
	cpu    time.Duration
	memory float64 // MiB at most, 0 where the system does not tell
}

func cpuOf(b *testing.B, c *exec.Cmd) used {
	b.Helper()
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	if err := c.Run(); err != nil {
		b.Fatalf("%v\n%s", err, out.Bytes())
	}
	return used{c.ProcessState.UserTime() + c.ProcessState.SystemTime(), mostMemory(c.ProcessState)}
}

// decodeByPdata is a program that reads a recording with pdata and does no more:
// pdata-decode FILE.
func decodeByPdata() {
	f, err := os.Open(os.Args[1])
	if err != nil {
		panic(err)
	}
	in := bufio.NewReaderSize(f, 1<<20)
	for err == nil {
		if filepath.Ext(os.Args[1]) == ".binpb" {
			err = decodeFrame(in)
		} else {
			err = decodeLine(in)
		}
	}
	if err != io.EOF {
		panic(err)
	}
}

func decodeLine(in *bufio.Reader) error {
	line, err := in.ReadBytes('\n')
	if len(line) > 0 {
		_, err = (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(line)
	}
	return err
}

func decodeFrame(in *bufio.Reader) error {
	var head [4]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return err
	}
	content := make([]byte, binary.BigEndian.Uint32(head[:]))
	if _, err := io.ReadFull(in, content); err != nil {
		return err
	}
	_, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(content)
	return err
}

// BenchmarkShow shows a trace of 12,000 spans with the built program, from the start
// of the process to its end.
func BenchmarkShow(b *testing.B) {
	program := filepath.Join(b.TempDir(), "followspan")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	path := filepath.Join(b.TempDir(), "trace.jsonl")
	var text bytes.Buffer
	for _, td := range benchBatches(12_000, 100) {
		line, err := (&ptrace.JSONMarshaler{}).MarshalTraces(td)
		if err != nil {
			b.Fatal(err)
		}
		text.Write(append(line, '\n'))
	}
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	for _, format := range []string{"text", "sequence", "json"} {
		b.Run(format, func(b *testing.B) {
			for b.Loop() {
				cpuOf(b, exec.Command(program, "show", path, "0102", "--format", format))
			}
		})
	}
}
