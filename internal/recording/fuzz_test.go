package recording

import (
	"bufio"
	"bytes"
	"os"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/followspan/followspan/internal/otlp"
	"github.com/followspan/followspan/trace"
)

// survives reads anything, and checks that a lenient reader finds no less than a
// strict one, and that what was found is whole: it can be written and read again.
func survives(t *testing.T, read func(*file) error) {
	attempt := func(s Settings) ([]trace.Span, error) {
		var spans []trace.Span
		s.MaxRecord = 1 << 20
		r := NewReader(s, func(b trace.Batch) error {
			spans = append(spans, b.Spans...)
			return nil
		})
		f := r.file(t.Context(), "in", bytes.NewReader(nil))
		return spans, read(f)
	}
	strict, _ := attempt(Settings{})
	spans, err := attempt(Settings{Lenient: true})
	if err != nil {
		t.Fatalf("a lenient reader gives up: %v", err)
	}
	if len(spans) < len(strict) {
		t.Fatalf("a lenient reader finds %d spans, a strict one %d", len(spans), len(strict))
	}
	var w trace.Builder
	if refused, err := otlp.NewDecoder(&w, otlp.Limits{}).Protobuf(otlp.Append(nil, spans)); err != nil || len(refused) > 0 {
		t.Fatalf("written again: %v, refused %v", err, refused)
	}
	for i, again := range w.Commit() {
		if !again.Equal(spans[i]) {
			t.Fatalf("span %d differs\n%s%s", i, describe(spans[i:i+1]), describe([]trace.Span{again}))
		}
	}
}

func buffered(content []byte) *bufio.Reader { return bufio.NewReader(bytes.NewReader(content)) }

// FuzzRead reads files of any kind.
func FuzzRead(f *testing.F) {
	for _, path := range samples(f) {
		content, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Add(gzipped(envelope(goodSpan)))
	f.Add(zstded(envelope(goodSpan)))
	f.Add([]byte(frame(envelope(goodSpan)) + frame("") + "\x00"))
	f.Fuzz(func(t *testing.T, content []byte) {
		survives(t, func(f *file) error { return f.all(bytes.NewReader(content)) })
	})
}

// FuzzJSON reads JSON in lines and documents.
func FuzzJSON(f *testing.F) {
	for _, path := range samples(f) {
		content, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Add([]byte("{}\n[{},[]]\n{\"resourceSpans\":[\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		survives(t, func(f *file) error { return f.json(newLines(buffered(content))) })
	})
}

// FuzzMessage reads one protobuf message.
func FuzzMessage(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x0a\x02\x0a\x00\x12\x00\x0a"))
	f.Fuzz(func(t *testing.T, content []byte) {
		survives(t, func(f *file) error { return f.message(buffered(content)) })
	})
}

// FuzzFrames reads records with their length before them.
func FuzzFrames(f *testing.F) {
	f.Add([]byte(frame(envelope(goodSpan)) + frame(string(zstded(envelope(badSpan)))) + frame("\x0a\x02\x0a\x00")))
	f.Fuzz(func(t *testing.T, content []byte) {
		survives(t, func(f *file) error { return f.frames(buffered(content)) })
	})
}

// FuzzRecords decodes any JSON as a record of each of the formats.
func FuzzRecords(f *testing.F) {
	f.Add(goodSpan)
	f.Add(`{"resource":{"attributes":[{"key":"a","value":{"arrayValue":{"values":[{"kvlistValue":{}}]}}}]},"scopeSpans":[{"scope":{},"spans":[` + goodSpan + `]}]}`)
	f.Add(`{"spans":[{"traceID":"1","spanID":"2","references":[{}],"tags":[{"key":"error","type":"bool","value":true}],"logs":[{"fields":[]}],"process":{}}],"processes":{"p1":{}}}`)
	f.Add(`{"traceId":"1","id":"2","parentId":"2","annotations":[{"timestamp":1,"value":"a|{}|1"}],"tags":{"otlp.link.0":"1|2||{}|0"},"localEndpoint":{"port":1}}`)
	f.Fuzz(func(t *testing.T, text string) {
		if !jsontext.Value(text).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) {
			return
		}
		for i := range 3 {
			survives(t, func(f *file) error {
				f.spanFault = func(_ int, err error) error { return f.fault(&Error{Err: err}) }
				decode := []func([]byte) *cursor{f.resourceSpans, f.jaegerTrace, f.zipkinSpan}[i]
				decode([]byte(text))
				return f.flush()
			})
		}
	})
}
