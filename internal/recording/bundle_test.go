package recording

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/followspan/followspan/trace"
)

// bundleOf writes lines, each with a number, and spans on every second.
func bundleOf(t *testing.T, lines int) (content []byte, spans [][]trace.Span) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 1))
	var b bytes.Buffer
	w := NewBundleWriter(&b)
	for i := range lines {
		var of []trace.Span
		if i%2 == 1 {
			of = randomSpans(r, 1+r.IntN(900))
		}
		spans = append(spans, of)
		if err := w.Write(map[string]any{"number": i, "text": "</script>\u2028\n"}, of); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), spans
}

func TestBundle(t *testing.T) {
	content, want := bundleOf(t, 20)
	n := 0
	report, err := ReadBundle(t.Context(), "b", bytes.NewReader(content), 0, func(data json.RawMessage, spans []trace.Span) error {
		var said struct{ Number int }
		if err := json.Unmarshal(data, &said); err != nil || said.Number != n {
			t.Errorf("line %d says %s: %v", n, data, err)
		}
		if len(spans) != len(want[n]) {
			t.Fatalf("line %d: %d spans, want %d", n, len(spans), len(want[n]))
		}
		for i := range spans {
			if !spans[i].Equal(want[n][i]) {
				t.Fatalf("line %d, span %d\nwant %s\n got %s", n, i, describe(want[n][i:i+1]), describe(spans[i:i+1]))
			}
		}
		n++
		return nil
	})
	if err != nil || n != 20 || report.Format != RunBundle {
		t.Errorf("%d lines of a %s, error %v", n, report.Format, err)
	}
	// It is a recording like any other.
	total := 0
	for _, spans := range want {
		total += len(spans)
	}
	if spans, report := mustRead(t, content); len(spans) != total || report.Format != RunBundle {
		t.Errorf("%d spans of a %s, want %d", len(spans), report.Format, total)
	}
}

// Of a bundle that was cut off what is before the cut can be read.
func TestBundleCutOff(t *testing.T) {
	content, _ := bundleOf(t, 200)
	lines := 0
	count := func(json.RawMessage, []trace.Span) error { lines++; return nil }
	_, err := ReadBundle(t.Context(), "b", bytes.NewReader(content[:len(content)/2]), 0, count)
	var place *Error
	if !errors.As(err, &place) || lines < 50 || lines > 150 {
		t.Errorf("%d lines, error %v", lines, err)
	}
	stop := errors.New("stop")
	if _, err := ReadBundle(t.Context(), "b", bytes.NewReader(content), 0, func(json.RawMessage, []trace.Span) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("error %v, want the callee's", err)
	}
	broken := NewBundleWriter(failing{})
	for range 10_000 {
		if err = broken.Write("x", randomSpans(rand.New(rand.NewPCG(1, 1)), 10)); err != nil {
			break
		}
	}
	if !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("writing to what fails: %v", err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestIsBundle(t *testing.T) {
	content, _ := bundleOf(t, 1)
	for name, f := range map[string]struct {
		content []byte
		want    bool
	}{
		"a bundle": {content, true}, "unpacked": {[]byte(`{"followspan":{}}`), true}, "OTLP": {[]byte(envelope(goodSpan)), false},
		"a flow file": {[]byte("version: 1\n"), false}, "empty": {nil, false}, "broken gzip": {[]byte("\x1f\x8b\x00\x00"), false},
	} {
		path := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(path, f.content, 0o644); err != nil {
			t.Fatal(err)
		}
		if got, err := IsBundle(path); err != nil || got != f.want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if _, err := IsBundle("gone"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

// A line that says nothing of the run is no reason to lose its spans.
func TestBundleWithOtherLines(t *testing.T) {
	in := fmt.Sprintf("{\"followspan\":1}\n%s\n{\"followspan\":{\"a\":[1]},\"resourceSpans\":[]}\n", envelope(goodSpan))
	var got []string
	_, err := ReadBundle(context.Background(), "b", strings.NewReader(in), 0, func(data json.RawMessage, spans []trace.Span) error {
		got = append(got, fmt.Sprintf("%s %d", data, len(spans)))
		return nil
	})
	if g := strings.Join(got, ", "); err != nil || g != `1 0,  1, {"a":[1]} 0` {
		t.Errorf("%s, error %v", g, err)
	}
}
