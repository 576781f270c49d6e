package recording

import (
	"bufio"
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/followspan/followspan/trace"
)

func written(t testing.TB, name string, batches ...[]trace.Span) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(name, &b)
	if err != nil {
		t.Fatal(err)
	}
	for _, spans := range batches {
		if err := w.Write(trace.Batch{Spans: spans}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// What is written is read the same, whatever the file is called.
func TestWriterRoundTrip(t *testing.T) {
	for name, format := range map[string]Format{
		"a.jsonl": OTLPJSON, "a.json.gz": OTLPJSON, "a": OTLPJSON, "A.JSON.ZST": OTLPJSON,
		"a.pb": OTLPProtobuf, "a.binpb": OTLPProtobuf, "a.binpb.gz": OTLPProtobuf, "a.proto.zst": OTLPProtobuf,
	} {
		for seed := range uint64(20) {
			r := rand.New(rand.NewPCG(seed, 2))
			first, second := randomSpans(r, 1+r.IntN(20)), randomSpans(r, 1+r.IntN(20))
			out, report := mustRead(t, written(t, name, first, nil, second))
			in := append(first, second...)
			if len(out) != len(in) || report.Format != format {
				t.Fatalf("%s, seed %d: %d spans of %d, %s", name, seed, len(out), len(in), report.Format)
			}
			for i := range in {
				if !in[i].Equal(out[i]) {
					t.Fatalf("%s, seed %d, span %d\nwant %s\n got %s", name, seed, i, describe(in[i:i+1]), describe(out[i:i+1]))
				}
			}
		}
	}
}

// Whoever is killed leaves a file with all that was written, compressed or not.
func TestWriterThatNeverCloses(t *testing.T) {
	in := randomSpans(rand.New(rand.NewPCG(1, 5)), 20)
	for name, faults := range map[string]int{"a.jsonl": 0, "a.jsonl.gz": 1, "a.jsonl.zst": 1, "a.pb": 0, "a.pb.gz": 1, "a.pb.zst": 1} {
		var b bytes.Buffer
		w, err := NewWriter(name, &b)
		if err != nil {
			t.Fatal(err)
		}
		for i, span := range in {
			if err := w.Write(trace.Batch{Spans: []trace.Span{span}}); err != nil {
				t.Fatal(err)
			}
			out, report, err := readAll(t, Settings{Lenient: true}, b.Bytes())
			if err != nil || !slices.EqualFunc(in[:i+1], out, trace.Span.Equal) || report.FaultCount != faults {
				t.Fatalf("%s: %d spans of %d were read, error %v, faults %v", name, len(out), i+1, err, report.Faults)
			}
		}
	}
}

// Each line is what the Collector's receiver of OTLP JSON files takes: it decodes
// them by pdata.
func TestWriterLines(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	lines := bufio.NewScanner(bytes.NewReader(written(t, "a.jsonl", randomSpans(r, 7), randomSpans(r, 5))))
	var counts []int
	for lines.Scan() {
		traces, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(lines.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		counts = append(counts, traces.SpanCount())
	}
	if len(counts) != 2 || counts[0] != 7 || counts[1] != 5 {
		t.Errorf("lines with %v spans, want 7 and 5", counts)
	}
}

func TestWriterConcurrently(t *testing.T) {
	var b bytes.Buffer
	w, err := NewWriter("a.jsonl", &b)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range uint64(8) {
		all.Go(func() {
			for range 20 {
				if err := w.Write(trace.Batch{Spans: randomSpans(rand.New(rand.NewPCG(i, 3)), 10)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if spans, _ := mustRead(t, b.Bytes()); len(spans) != 8*20*10 || w.Spans() != len(spans) {
		t.Errorf("%d spans, the writer counts %d", len(spans), w.Spans())
	}
}

// full takes so many bytes.
type full struct{ room int }

var errNoSpace = errors.New("no space left on device")

func (f *full) Write(b []byte) (int, error) {
	n := min(f.room, len(b))
	f.room -= n
	if n < len(b) {
		return n, errNoSpace
	}
	return n, nil
}

func TestWriterFull(t *testing.T) {
	spans := randomSpans(rand.New(rand.NewPCG(1, 4)), 10)
	w, err := NewWriter("a.jsonl", &full{room: 100})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.Write(trace.Batch{Spans: spans}); !errors.Is(err, errNoSpace) {
			t.Errorf("error %v, want that of the file", err)
		}
	}
	if err := w.Close(); !errors.Is(err, errNoSpace) || w.Spans() != 0 {
		t.Errorf("error %v, %d spans", err, w.Spans())
	}
}

func TestWriterClosed(t *testing.T) {
	w, err := NewWriter("a.jsonl", &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if err := w.Write(trace.Batch{Spans: randomSpans(rand.New(rand.NewPCG(1, 5)), 1)}); err == nil {
		t.Error("a closed writer takes spans")
	}
}

// A large batch stands on several lines, each of which a Collector reads whole.
func TestWriterLongLines(t *testing.T) {
	var b trace.Builder
	for i := range 20_000 {
		b.Add(&trace.SpanData{TraceID: trace.TraceID{1}, ID: trace.SpanID{1, byte(i), byte(i >> 8)}, Name: strings.Repeat("x", 100)})
	}
	b.Add(&trace.SpanData{TraceID: trace.TraceID{1}, ID: trace.SpanID{2}, Name: strings.Repeat("y", 2*longLine)})
	in := b.Commit()
	content := written(t, "a.jsonl", in)
	long := 0
	for line := range bytes.Lines(content) {
		long += boolInt(len(line) > longLine)
	}
	if lines := bytes.Count(content, []byte{'\n'}); long != 1 || lines < 4 || lines > 30 {
		t.Errorf("%d lines, %d of them long; want only that of the long span", lines, long)
	}
	out, _ := mustRead(t, content)
	if !slices.EqualFunc(in, out, trace.Span.Equal) {
		t.Errorf("%d spans of %d came back, or they differ", len(out), len(in))
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// A text that is no UTF-8, which protobuf may hold, does not spoil a recording.
func TestWriterOfNoUTF8(t *testing.T) {
	var w trace.Builder
	w.Add(&trace.SpanData{TraceID: trace.TraceID{1}, ID: trace.SpanID{1}, Name: "a\xff\xfeb"})
	spans := w.Commit()
	for name, want := range map[string]string{"f.jsonl": "a\ufffd\ufffdb", "f.pb": "a\xff\xfeb"} {
		var b bytes.Buffer
		to, err := NewWriter(name, &b)
		if err == nil {
			err = errors.Join(to.Write(trace.Batch{Spans: spans}), to.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := mustRead(t, b.Bytes()); len(got) != 1 || got[0].Name() != want {
			t.Errorf("%s: read %q, want %q", name, describe(got), want)
		}
	}
}
