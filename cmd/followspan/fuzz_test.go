package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/followspan/followspan/internal/recording"
	"github.com/followspan/followspan/internal/report"
	"github.com/followspan/followspan/internal/run"
	"github.com/followspan/followspan/internal/watch"
	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
)

// seed adds the content of files to what a fuzzer begins with, as it is and unpacked.
func seed(f *testing.F, patterns ...string) {
	for _, pattern := range patterns {
		files, err := recording.Find([]string{pattern})
		if err != nil {
			f.Fatal(err)
		}
		for _, name := range files {
			content, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(content)
			if z, err := gzip.NewReader(bytes.NewReader(content)); err == nil {
				plain, err := io.ReadAll(z)
				if err != nil {
					f.Fatal(err)
				}
				f.Add(plain)
			}
		}
	}
}

// FuzzShow draws the traces of any recording, on pages of any width.
func FuzzShow(f *testing.F) {
	seed(f, "../../examples/recorded", "../../internal/recording/testdata/samples")
	f.Add([]byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[` +
		`{"traceId":"01000000000000000000000000000000","spanId":"0100000000000000","startTimeUnixNano":"18446744073709551615","endTimeUnixNano":"1"},` +
		`{"traceId":"01000000000000000000000000000000","spanId":"0200000000000000","parentSpanId":"0100000000000000","endTimeUnixNano":"18446744073709551615"}]}]}]}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		spans := store.New([]trace.Membership{watch.Membership}, run.RecordedStore(16<<20))
		reader := recording.NewReader(recording.Settings{Lenient: true, MaxRecord: 1 << 20}, func(b trace.Batch) error { return run.Record(t.Context(), spans, b) })
		if _, err := reader.Read(t.Context(), "in", bytes.NewReader(content)); err != nil && !errors.Is(err, store.ErrFull) {
			t.Fatalf("a lenient reader gives up: %v", err)
		}
		for i, s := range closeTraces(spans) {
			settings := report.TextSettings{Width: 40 + len(content)%100, Verbose: len(content)%3 == 0, ASCII: true}
			marked := []trace.Node{s.flow.Member(i % s.flow.Len())}
			var page strings.Builder
			err := errors.Join(report.Waterfall(&page, s.flow, marked, settings), report.Sequence(&page, s.flow, settings),
				report.TraceJSON(io.Discard, s.flow, marked), report.TraceJSONLine(io.Discard, s.flow))
			page.WriteString(report.TraceLine(s.flow, 0, settings))
			if err != nil {
				t.Fatal(err)
			}
			if strings.ContainsRune(page.String(), '\x1b') {
				t.Errorf("an escape sequence reaches the terminal: %q", page.String())
			}
			if err := presentOTLP(io.Discard, []shown{s}); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// FuzzBundle judges any bundle.
func FuzzBundle(f *testing.F) {
	seed(f, "../../examples/recorded/run.followspan")
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "in.followspan")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, loose := range []bool{false, true} {
			p := &replayer{ctx: t.Context(), stderr: io.Discard, view: newView(io.Discard, false), path: path}
			result, err := p.replay(loose)
			if (result == nil) == (err == nil) {
				t.Fatalf("result %v, error %v", result, err)
			}
			if result != nil {
				if err := report.Text(io.Discard, result, report.TextSettings{}); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}
