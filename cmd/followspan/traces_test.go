package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/followspan/followspan/internal/otlp"
	"github.com/followspan/followspan/trace/sketch"
)

// recordSketch writes the spans of a sketch as OTLP JSON, with a digit before which
// trace ids differ from those of other sketches: sketch FILE RECORDING [DIGIT].
func recordSketch(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: sketch FILE RECORDING [DIGIT]")
	}
	s, err := sketch.Parse(ts.ReadFile(args[0]))
	ts.Check(err)
	content, err := otlp.EncodeJSON(s.Spans())
	ts.Check(err)
	if len(args) == 3 {
		content = bytes.ReplaceAll(content, []byte(`"traceId":"0`), []byte(`"traceId":"`+args[2]))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), append(content, '\n'), 0o600))
}

// grow appends lines to a file: grow FILE LINE...
func grow(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: grow FILE LINE...")
	}
	content := ts.ReadFile(args[0])
	for _, line := range args[1:] {
		content += line + "\n"
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(content), 0o600))
}

// exportFile is a program under test, which sends recorded spans to where its environment
// says, as a service does: exporter FILE. It fails if nobody takes them.
func exportFile() {
	content, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	for line := range bytes.Lines(content) {
		answer, err := http.Post(os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT")+"/v1/traces", "application/json", bytes.NewReader(line))
		if err != nil || answer.StatusCode != http.StatusOK {
			fmt.Println("not exported:", err)
			os.Exit(9)
		}
		_ = answer.Body.Close()
	}
	fmt.Println("exported", os.Args[1], "in", os.Getenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE"))
}
