package recording

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/followspan/followspan/trace"
)

var update = flag.Bool("update", false, "write what is read in the samples")

// samples are files that tools wrote; testdata/samples/README.md says which.
func samples(t testing.TB) []string {
	t.Helper()
	found, err := Find([]string{"testdata/samples"})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 13 {
		t.Fatalf("%d samples", len(found))
	}
	return found
}

func TestSamples(t *testing.T) {
	for _, path := range samples(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			spans, report := mustRead(t, content)
			got := fmt.Sprintf("%s, %d spans", report.Format, report.Spans)
			for _, signal := range slices.Sorted(maps.Keys(report.Skipped)) {
				got += fmt.Sprintf(", %s skipped: %d", signal, report.Skipped[signal])
			}
			if report.Partial > 0 {
				got += fmt.Sprintf(", partial: %d", report.Partial)
			}
			if report.Adjusted > 0 {
				got += fmt.Sprintf(", adjusted: %d", report.Adjusted)
			}
			golden(t, path+".txt", got+"\n"+describe(spans))
		})
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got)\n%s", path, diff)
	}
}

// What the Collector wrote in four layouts is the same.
func TestLayoutsOfTheCollectorAgree(t *testing.T) {
	var first []trace.Span
	for _, path := range samples(t) {
		if !strings.Contains(path, "collector-file") {
			continue
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		spans, _ := mustRead(t, content)
		if first == nil {
			first = spans
		}
		if diff := cmp.Diff(describe(first), describe(spans)); diff != "" {
			t.Errorf("%s differs\n%s", path, diff)
		}
	}
}
