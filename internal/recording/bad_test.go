package recording

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/followspan/followspan/trace"
)

const (
	goodSpan = `{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708"}`
	badSpan  = `{"traceId":"what","spanId":"0102030405060708"}`
)

func frame(content string) string {
	return string(binary.BigEndian.AppendUint32(nil, uint32(len(content)))) + content
}

// What cannot be understood is an error with its place; a lenient reader goes on.
func TestFaults(t *testing.T) {
	good := envelope(goodSpan)
	const truncated = `it ends in the middle of a value: is it truncated?`
	tests := []struct {
		name, in string
		place    string // the last of it in the text is where the error is; "" is the end
		want     string // of a strict reader; @ is the place
		spans    int    // that a lenient reader finds
		faults   int
	}{
		{"a bad id", good + "\n" + envelope(goodSpan+","+badSpan+","+goodSpan) + "\n" + good + "\n",
			`"what"`, `line 2, byte @: trace id: "what" is no id: want 32 hex digits`, 4, 1},
		{"a zero id", envelope(goodSpan + `,{"traceId":"00000000000000000000000000000000","spanId":"01"}`),
			`{"traceId":"0000`, `record 1, byte @: the span's trace id is missing or all zero`, 1, 1},
		{"a value of another type", envelope(`{"traceId":[]},` + goodSpan + `,{"attributes":{}},{"startTimeUnixNano":"soon"}`),
			`[]}`, `record 1, byte @: want a string, got a list`, 1, 3},
		{"a line cut short", good + "\n" + good[:100] + "\n" + good + "\n", "{\"resourceSpans", `line 2, byte @: ` + truncated, 2, 1},
		{"a file cut short", good + "\n" + good + "\n" + good[:100], "", `line 3, byte @: ` + truncated, 2, 1},
		{"a document cut short", "{\n\"resourceSpans\":[" + strings.TrimSuffix(strings.TrimPrefix(good, `{"resourceSpans":[`), `]}`) + ",",
			"", `record 1, byte @: ` + truncated, 1, 1},
		{"no JSON in a line", good + "\n{oops}\n" + good, "oops", `line 2, byte @: this is no JSON: invalid character 'o' at start of value`, 2, 1},
		{"something behind the JSON", good + "garbage", "garbage", `record 1, byte @: this is no JSON: invalid character 'g' at start of value`, 1, 1},
		{"no UTF-8", good + "\n" + envelope(`{"name":"`+"\xff"+`"}`) + "\n" + good + "\n", "\xff", `line 2, byte @: this is no UTF-8`, 2, 1},
		{"neither OTLP nor Jaeger nor Zipkin", good + "\n" + `{"foo":1,"bar":[]}` + "\n" + good,
			`{"foo"`, `line 2, byte @: this object is no trace: it has foo, bar; want resourceSpans (OTLP), data (Jaeger) or traceId and id (Zipkin)`, 2, 1},
		{"a number", "[1]", "1", `record 1, byte @: want an object or a list, got a number`, 0, 1},
		{"a frame cut short", frame(good) + frame(good)[:50], "", `record 2, byte @: ` + truncated, 1, 1},
		{"the length of a frame cut short", frame(good) + "\x00", "", `record 2, byte @: ` + truncated, 1, 1},
		{"a bad id in a frame", frame(good) + frame(envelope(badSpan)) + frame(good), `"what"`, `record 2, byte @: trace id: "what" is no id: want 32 hex digits`, 2, 1},
		{"a length beyond all bounds", frame(good) + "\x08\xff\xff\xff" + good, "\x08", `record 2, byte @: a record of 150994943 bytes, and the limit is 67108864`, 1, 2},
		{"random bytes", "\x80\x81\x82", "", `this is neither JSON nor OTLP protobuf: it starts with 80 81 82`, 0, 1},
		{"a zip archive", "PK\x03\x04and so on", "", `this looks like a zip archive: unpack it first`, 0, 1},
		{"a page", "<!doctype html>", "", `this looks like XML or HTML: is it the page instead of what it links to?`, 0, 1},
		{"version 1 of Zipkin's format", `[{"traceId":"1","id":"1","binaryAnnotations":[]}]`, `"binary`, `record 1, byte @: this is version 1 of Zipkin's format: ask for version 2`, 0, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := readAll(t, Settings{}, []byte(tt.in))
			at := len(tt.in)
			if tt.place != "" {
				at = strings.LastIndex(tt.in, tt.place)
			}
			want := "in: " + strings.ReplaceAll(tt.want, "@", strconv.Itoa(at))
			var place *Error
			if !errors.As(err, &place) || err.Error() != want {
				t.Errorf("strict:\n got %v\nwant %s", err, want)
			}
			spans, report, err := readAll(t, Settings{Lenient: true}, []byte(tt.in))
			if err != nil || len(spans) != tt.spans || report.FaultCount != tt.faults {
				t.Errorf("lenient: %d spans, %d faults, error %v; want %d spans, %d faults\n%v", len(spans), report.FaultCount, err, tt.spans, tt.faults, report.Faults)
			}
		})
	}
}

func gzipped(s string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, s)
	_ = w.Close()
	return b.Bytes()
}

var zstdWriter, _ = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))

func zstded(s string) []byte { return zstdWriter.EncodeAll([]byte(s), nil) }

func TestCompressed(t *testing.T) {
	one := envelope(goodSpan)
	for name, in := range map[string][]byte{
		"gzip":               gzipped(one),
		"gzip, two members":  append(gzipped(one[:10]), gzipped(one[10:])...),
		"zstd":               zstded(one),
		"zstd, two frames":   append(zstded(one[:10]), zstded(one[10:])...),
		"zstd by the record": []byte(frame(string(zstded(one)))),
	} {
		if spans, _ := mustRead(t, in); len(spans) != 1 {
			t.Errorf("%s: %d spans", name, len(spans))
		}
	}
	for name, in := range map[string][]byte{
		"gzip cut short":   gzipped(strings.Repeat(one+"\n", 100))[:200],
		"gzip, bad sum":    corrupt(gzipped(strings.Repeat(one+"\n", 100)), -6),
		"gzip, bad head":   []byte("\x1f\x8b\x00\x00\x00\x00\x00\x00\x00\x00"),
		"zstd cut short":   zstded(strings.Repeat(one+"\n", 100))[:100],
		"zstd in a record": []byte(frame(string(corrupt(zstded(one), 20)))),
	} {
		if _, _, err := readAll(t, Settings{}, in); err == nil || !strings.HasPrefix(err.Error(), "in: ") {
			t.Errorf("%s: error %v", name, err)
		}
		if _, report, err := readAll(t, Settings{Lenient: true}, in); err != nil || report.FaultCount != 1 {
			t.Errorf("%s, lenient: error %v, %d faults", name, err, report.FaultCount)
		}
	}
}

func corrupt(b []byte, at int) []byte {
	if at < 0 {
		at += len(b)
	}
	b[at] ^= 0x55
	return b
}

// endless is a text that repeats and never ends; whoever reads it must stop.
type endless struct {
	start, again string
	rest         string
}

func (e *endless) Read(p []byte) (int, error) {
	if e.rest == "" {
		e.rest, e.start = e.start+e.again, ""
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

// What is hostile ends with an error, in memory that does not grow with its size.
func TestHostile(t *testing.T) {
	const limit = 1 << 20
	tests := []struct {
		name string
		in   io.Reader
		want string
	}{
		{"a name without an end", &endless{start: `{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"`, again: "aaaaaaaaaaaaaaaa"}, "more than 1048576 bytes"},
		{"a list without an end", &endless{start: `{"resourceSpans":[{"scopeSpans":[{"spans":[`, again: "{},{},{},{},"}, "more than 1048576 bytes"},
		{"an unknown member without an end", &endless{start: `{"x":"`, again: "aaaaaaaaaaaaaaaa"}, "more than 1048576 bytes"},
		{"members without an end", &endless{start: `{`, again: `"x":"` + strings.Repeat("a", 1000) + `",`}, "more than 1048576 bytes"},
		{"a name of a member without an end", &endless{start: `{"`, again: "aaaaaaaaaaaaaaaa"}, "more than 1048576 bytes"},
		{"lists in lists", &endless{again: "["}, "exceeded max depth"},
		{"objects in objects", &endless{start: `{"resourceSpans":[`, again: `{"x":`}, "exceeded max depth"},
		{"Jaeger's spans without an end", &endless{start: `{"data":[{"spans":[`, again: "{},{},{},{},"}, "more than 1048576 bytes"},
		{"a bomb", bomb(t), "more than 1048576 bytes"},
		{"a bomb in a record", strings.NewReader(frame(string(zstded(strings.Repeat("a", 64*limit))))), "more than 1048576 bytes"},
		{"a huge message", strings.NewReader("\x0a\xff\xff\xff\xff\x7f\x0a\x02\x0a\x00" + strings.Repeat("a", 100)), "the limit is 1048576"},
		{"an endless length", strings.NewReader("\x0a\x04\x0a\x02\x0a\x00" + strings.Repeat("\xff", 100)), "overflow"},
		{"a group", strings.NewReader("\x0a\x04\x0a\x02\x0a\x00\x0b"), "wire type 3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := NewReader(Settings{MaxRecord: limit}, func(trace.Batch) error { return nil })
			before := allocated()
			_, err := r.Read(context.Background(), "in", tt.in)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
			if used := allocated() - before; used > 16*limit {
				t.Errorf("it took %d MiB of memory in all", used>>20)
			}
		})
	}
}

// allocated is all memory that was ever asked for.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// bomb is a gibibyte of one string in a megabyte of gzip.
func bomb(t *testing.T) io.Reader {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.Copy(w, io.LimitReader(&endless{start: `{"resourceSpans":[{"x":"`, again: strings.Repeat("a", 4096)}, 64<<20))
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return &b
}

// Logs and metrics of a mixed file are skipped and counted, however large.
func TestOtherSignals(t *testing.T) {
	logs := `{"resourceLogs":[{"scopeLogs":[{"logRecords":[` + strings.Repeat(`{"body":{"stringValue":"x"}},`, 100_000) + `{}]}]}]}`
	in := strings.Join([]string{envelope(goodSpan), logs, `{"resourceMetrics":[]}`, `{"resourceProfiles":[]}`, logs}, "\n")
	spans, report, err := readAll(t, Settings{MaxRecord: 1 << 16}, []byte(in))
	if err != nil || len(spans) != 1 {
		t.Fatalf("%d spans, error %v", len(spans), err)
	}
	if report.Skipped["logs"] != 2 || report.Skipped["metrics"] != 1 || report.Skipped["profiles"] != 1 {
		t.Errorf("skipped %v", report.Skipped)
	}
}

// Values nested deeper than the model keeps become empty, and cost no stack.
func TestDeepValues(t *testing.T) {
	deep := strings.Repeat(`{"arrayValue":{"values":[`, 1500) + `{}` + strings.Repeat(`]}}`, 1500)
	spans, _ := mustRead(t, []byte(envelope(strings.TrimSuffix(goodSpan, "}")+`,"attributes":[{"key":"a","value":`+deep+`}]}`)))
	v, _ := spans[0].Attr("a")
	depth := 0
	for ; v.Kind() == trace.List; depth++ {
		for e := range v.Elems() {
			v = e
		}
		if depth > 100 {
			break
		}
	}
	if depth != trace.MaxValueDepth {
		t.Errorf("%d lists are kept, want %d", depth, trace.MaxValueDepth)
	}
}

// An error of whoever takes the spans, and the end of the context, end the reading.
func TestReadingEnds(t *testing.T) {
	full := errors.New("full")
	in := []byte(strings.Repeat(envelope(goodSpan)+"\n", 10))
	r := NewReader(Settings{Lenient: true}, func(trace.Batch) error { return full })
	if _, err := r.Read(context.Background(), "in", bytes.NewReader(in)); !errors.Is(err, full) {
		t.Errorf("error %v, want that of the caller", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	seen := 0
	r = NewReader(Settings{Lenient: true}, func(trace.Batch) error { seen++; cancel(); return nil })
	report, err := r.Read(ctx, "in", io.MultiReader(bytes.NewReader(in[:len(in)/2]), &endless{again: envelope(goodSpan) + "\n"}))
	if !errors.Is(err, context.Canceled) || report.Spans == 0 {
		t.Errorf("error %v after %d batches and %d spans", err, seen, report.Spans)
	}
}
