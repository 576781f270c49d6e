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
		{"a scope that is none", `{"resourceSpans":[{"scopeSpans":[{"spans":[` + goodSpan + `]},{"scope":7}],"resource":{}}]}`,
			`7`, `record 1, byte @: want a scope, got a number`, 1, 1},
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
		{"a length beyond all bounds", frame(good) + "\x08\xff\xff\xff" + good, "\x08", `record 2, byte @: a record of 150994943 bytes exceeds the limit of 67108864 bytes`, 1, 2},
		{"a short id in protobuf", frame("\x0a\x0f\x0a\x00\x12\x0b\x12\x09\x0a\x01\x01\x12\x04\x01\x02\x03\x04"), "\x00", `record 1, byte 0: 1 span of "": span id is not 8 bytes long`, 0, 1},
		{"random bytes", "\x80\x81\x82", "", `this is neither JSON nor OTLP protobuf: it starts with 80 81 82`, 0, 1},
		{"zeros", strings.Repeat("\x00", 1000), "", `it begins with nothing but zero bytes: was it damaged?`, 0, 1},
		{"a zip archive", "PK\x03\x04and so on", "", `this looks like a zip archive: unpack it first`, 0, 1},
		{"a page", "<!doctype html>", "", `this looks like XML or HTML: is it the page instead of what it links to?`, 0, 1},
		{"UTF-16 without a mark", "{\x00\"\x00", "", `this looks like UTF-16: convert it to UTF-8`, 0, 1},
		{"a log before the lines", "started 2 [pipelines\n1 more\n" + good + "\n" + good, "started", `line 1, byte @: this is no JSON: invalid character 's' at start of value`, 2, 2},
		{"numbers before the lines", "2026-01-02 03:04\n" + good, "2026", `line 1, byte @: want an object or a list, got a number`, 1, 1},
		{"an answer of Jaeger's API without data", `{"data":null,"errors":[{"code":404,"msg":"trace not found"}]}`, `[{"code`, `record 1, byte @: Jaeger answered with an error: "trace not found"`, 0, 1},
		{"an answer of its version 3", `{"error":{"httpCode":404,"message":"No traces found"}}`, `{"error`, `record 1, byte @: this is no trace but the report of an error: "No traces found"`, 0, 1},
		{"an answer of Zipkin's API", `{"status":404,"error":"Not Found"}`, `{"status`, `record 1, byte @: this is no trace but the report of an error: "Not Found"`, 0, 1},
		{"an older annotation of Zipkin's", `[{"traceId":"1","id":"1","annotations":[{"endpoint":{}}]}]`, `"endpoint`, `record 1, byte @: this is version 1 of Zipkin's format: ask for version 2`, 0, 1},
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

// What is cut short or damaged while it is still small is an error with its place, and
// what stands before it is read.
func TestSmallAndCompressed(t *testing.T) {
	good := envelope(goodSpan) + "\n"
	packed := gzipped(good + envelope(goodSpan))
	tests := []struct {
		name  string
		in    []byte
		want  string
		spans int
	}{
		{"cut at once", packed[:2], "in: it ends in the middle of a value: is it truncated?", 0},
		{"cut in the head", packed[:9], "in: it ends in the middle of a value: is it truncated?", 0},
		{"without its end", packed[:len(packed)-4], "in: line 2, byte 411: it ends in the middle of a value: is it truncated?", 2},
		{"garbage behind it", append(gzipped(good), "and some garbage"...), "in: line 2, byte 206: gzip: invalid header", 1},
	}
	for _, tt := range tests {
		_, _, err := readAll(t, Settings{}, tt.in)
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s: error %v, want %s", tt.name, err, tt.want)
		}
		spans, report, err := readAll(t, Settings{Lenient: true}, tt.in)
		if err != nil || len(spans) != tt.spans || report.FaultCount != 1 {
			t.Errorf("%s, lenient: %d spans, want %d; error %v, faults %v", tt.name, len(spans), tt.spans, err, report.Faults)
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
		{"a name without an end", &endless{start: `{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"`, again: "aaaaaaaaaaaaaaaa"}, "exceeds the limit of 1048576 bytes"},
		{"a list without an end", &endless{start: `{"resourceSpans":[{"scopeSpans":[{"spans":[`, again: "{},{},{},{},"}, "exceeds the limit of 1048576 bytes"},
		{"an unknown member without an end", &endless{start: `{"x":"`, again: "aaaaaaaaaaaaaaaa"}, "exceeds the limit of 1048576 bytes"},
		{"members without an end", &endless{start: `{`, again: `"x":"` + strings.Repeat("a", 1000) + `",`}, "exceeds the limit of 1048576 bytes"},
		{"a name of a member without an end", &endless{start: `{"`, again: "aaaaaaaaaaaaaaaa"}, "exceeds the limit of 1048576 bytes"},
		{"lists in lists", &endless{again: "["}, "exceeded max depth"},
		{"objects in objects", &endless{start: `{"resourceSpans":[`, again: `{"x":`}, "exceeded max depth"},
		{"Jaeger's spans without an end", &endless{start: `{"data":[{"spans":[`, again: "{},{},{},{},"}, "exceeds the limit of 1048576 bytes"},
		{"a bomb", bomb(t), "exceeds the limit of 1048576 bytes"},
		{"a bomb in a record", strings.NewReader(frame(string(zstded(strings.Repeat("a", 64*limit))))), "exceeds the limit of 1048576 bytes"},
		{"a huge message", strings.NewReader("\x0a\xff\xff\xff\xff\x7f\x0a\x02\x0a\x00" + strings.Repeat("a", 100)), "exceeds the limit of 1048576 bytes"},
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

// A span may have as many attributes as its record has room for. What takes little room
// in a file, and much in memory, is bounded whatever the format.
func TestElements(t *testing.T) {
	const limit = 1 << 20
	const most = limit / leastElement
	pb := func(tag byte, n int) string {
		span := "\x0a\x10" + strings.Repeat("\x01", 16) + "\x12\x08" + strings.Repeat("\x02", 8) + strings.Repeat(string([]byte{tag, 0}), n)
		for _, outer := range []byte{0x12, 0x12, 0x0a} {
			span = string(append(binary.AppendUvarint([]byte{outer}, uint64(len(span))), span...))
		}
		return span
	}
	otlp := func(member string, n int) string {
		span := strings.TrimSuffix(goodSpan, "}") + `,"` + member + `":[{}` + strings.Repeat(",{}", n-1) + `]}`
		return `{"resourceSpans":[{"scopeSpans":[{"spans":[` + span + `]}]}]}`
	}
	for name, in := range map[string]func(n int) string{
		"attributes":          func(n int) string { return otlp("attributes", n) },
		"events":              func(n int) string { return otlp("events", n) },
		"links":               func(n int) string { return otlp("links", n) },
		"protobuf attributes": func(n int) string { return pb(0x4a, n) },
		"protobuf events":     func(n int) string { return pb(0x5a, n) },
		"Jaeger's tags": func(n int) string {
			return `{"data":[{"spans":[{"traceID":"1","spanID":"1","tags":[{}` + strings.Repeat(",{}", n-1) + `]}]}]}`
		},
		"elements of a tag": func(n int) string {
			return `{"data":[{"spans":[{"traceID":"1","spanID":"1","tags":[{"value":[1` + strings.Repeat(",1", n-2) + `]}]}]}]}`
		},
		"Zipkin's tags": func(n int) string {
			return `[{"traceId":"1","id":"1","tags":{"":""` + strings.Repeat(`,"":""`, n-1) + `}}]`
		},
		"what an annotation says": func(n int) string {
			return `[{"traceId":"1","id":"1","annotations":[{"value":"a: {\"\":1` + strings.Repeat(`,\"\":1`, n-2) + `}"}]}]`
		},
	} {
		t.Run(name, func(t *testing.T) {
			if spans, _, err := readAll(t, Settings{MaxRecord: limit}, []byte(in(most))); err != nil || len(spans) != 1 {
				t.Errorf("%d spans, error %v", len(spans), err)
			}
			_, _, err := readAll(t, Settings{MaxRecord: limit}, []byte(in(most+1)))
			if want := "this record exceeds the limit of 65536 attributes, events and links"; err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want one with %q", err, want)
			}
		})
	}
}

// The window of zstd is bounded before it is asked for, and by a setting.
func TestWindow(t *testing.T) {
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1))
	if err == nil {
		_, err = io.WriteString(w, strings.Repeat(envelope(goodSpan)+"\n", 5000))
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	in := b.Bytes()
	in[5] = 18 << 3 // where the frame says which window it takes: 256 MiB (RFC 8878, 3.1.1.1.2)
	_, _, err = readAll(t, Settings{}, in)
	if want := "in: the window of zstd exceeds the limit of 134217728 bytes"; !errors.Is(err, ErrTooLarge) || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if spans, _, err := readAll(t, Settings{MaxRecord: 256 << 20}, in); err != nil || len(spans) != 5000 {
		t.Errorf("%d spans, error %v", len(spans), err)
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

// Values nested deeper than the model keeps are refused, and cost no stack.
func TestDeepValues(t *testing.T) {
	for _, lists := range []int{trace.MaxValueDepth, trace.MaxValueDepth + 1, 1500} {
		deep := strings.Repeat(`{"arrayValue":{"values":[`, lists) + `{}` + strings.Repeat(`]}}`, lists)
		in := envelope(strings.TrimSuffix(goodSpan, "}") + `,"attributes":[{"key":"a","value":` + deep + `}]}`)
		spans, _, err := readAll(t, Settings{}, []byte(in))
		if lists == trace.MaxValueDepth {
			if err != nil || len(spans) != 1 {
				t.Errorf("%d lists: %d spans, %v", lists, len(spans), err)
			}
		} else if err == nil || !strings.Contains(err.Error(), "lists and maps nest deeper than 100") {
			t.Errorf("%d lists: error %v", lists, err)
		}
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
