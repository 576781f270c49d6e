package main

import (
	"encoding/binary"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/followspan/followspan/internal/recording"
	"github.com/followspan/followspan/internal/run"
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

// A run that is judged again remembers as much as the run did of what was refused, which
// flows that have none of it miss, too.
func TestBundleSaysHowMuchMemoryThereWas(t *testing.T) {
	var head bundleHead
	head.complete(runFlags{}, leastMemory, run.TraceContext{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}})
	_, again, _, err := head.open(io.Discard, "run.followspan")
	if err != nil {
		t.Fatal(err)
	}
	var w trace.Builder
	for i := range uint32(20_000) {
		var d trace.SpanData
		binary.BigEndian.PutUint32(d.TraceID[:], 1+i)
		d.ID[0] = 1
		w.Add(&d)
	}
	refused := store.Op{Kind: store.OpRefuse, Batch: trace.Batch{Spans: w.Commit()}}
	var counts []int
	for _, s := range []*store.Store{store.New(nil, store.Settings{Bytes: leastMemory}), again} {
		for range 2 { // What is not remembered is counted once more.
			if _, err := s.Replay(refused); err != nil {
				t.Fatal(err)
			}
		}
		counts = append(counts, s.Stats().Refused)
	}
	if counts[0] != counts[1] {
		t.Errorf("of what was refused %d are counted, and %d when the run is judged again", counts[0], counts[1])
	}
}
