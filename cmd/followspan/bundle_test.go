package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/followspan/followspan/internal/recording"
	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
)

// A run that is killed leaves a file that says what had happened until then.
func TestBundleOfARunThatWasKilled(t *testing.T) {
	b, err := startBundle(bundleFlags{path: filepath.Join(t.TempDir(), "run.followspan")}, bundleHead{Bundle: bundleVersion})
	if err != nil {
		t.Fatal(err)
	}
	defer b.file.Close()
	b.journal.Store(store.Op{Kind: store.OpFlushed})
	b.end()
	in, err := os.Open(b.file.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	lines := 0
	_, err = recording.ReadBundle(t.Context(), "run.followspan", in, 0, func(json.RawMessage, []trace.Span) error {
		lines++
		return nil
	})
	if lines != 2 || err == nil {
		t.Errorf("%d lines and the error %v; want 2, and that it was cut off", lines, err)
	}
}
