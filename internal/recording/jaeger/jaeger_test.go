package jaeger

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/mux"
	"github.com/jaegertracing/jaeger/cmd/query/app"

	"github.com/followspan/followspan/internal/recording"
	"github.com/followspan/followspan/trace"
)

const example = "../../../examples/recorded/shop.jsonl"

// Jaeger takes what followspan record writes and what show prints as OTLP, and what
// Jaeger makes of it is read again as what was recorded, to the microsecond.
func TestReadsRecordings(t *testing.T) {
	want := read(t, example)
	for name, write := range map[string]func(t *testing.T, path string){
		"record":             func(t *testing.T, path string) { record(t, path, want) },
		"show --format otlp": show,
	} {
		t.Run(name, func(t *testing.T) {
			written, shown := filepath.Join(t.TempDir(), "written.jsonl"), filepath.Join(t.TempDir(), "jaeger.json")
			write(t, written)
			if err := os.WriteFile(shown, transform(t, written), 0o644); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(lines(want), lines(read(t, shown))); diff != "" {
				t.Errorf("(-recorded +shown by Jaeger)\n%s", diff)
			}
		})
	}
}

func show(t *testing.T, path string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "run", "-C", "../../..", "./cmd/followspan", "show", "examples/recorded/shop.jsonl", "--format", "otlp").Output()
	if err == nil {
		err = os.WriteFile(path, out, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// record writes as followspan record does, in requests of three spans.
func record(t *testing.T, path string, spans []trace.Span) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w, err := recording.NewWriter(path, file)
	if err != nil {
		t.Fatal(err)
	}
	for part := range slices.Chunk(spans, 3) {
		if err := w.Write(trace.Batch{Spans: part}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) (spans []trace.Span) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	_, err = recording.NewReader(recording.Settings{}, func(b trace.Batch) error {
		spans = append(spans, b.Spans...)
		return nil
	}).Read(t.Context(), path, file)
	if err != nil {
		t.Fatal(err)
	}
	return spans
}

// transform is what the UI of Jaeger does with a file of OTLP JSON that is uploaded
// (https://github.com/jaegertracing/jaeger-ui, src/utils/readJsonFile.tsx): of
// JSON in lines it puts the resource spans together, and Jaeger's query service
// turns them into its own JSON.
func transform(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var upload struct {
		ResourceSpans []json.RawMessage `json:"resourceSpans"`
	}
	for line := range bytes.Lines(content) {
		var one struct{ ResourceSpans []json.RawMessage }
		if err := json.Unmarshal(line, &one); err != nil {
			t.Fatal(err)
		}
		upload.ResourceSpans = append(upload.ResourceSpans, one.ResourceSpans...)
	}
	body, err := json.Marshal(upload)
	if err != nil {
		t.Fatal(err)
	}
	router := mux.NewRouter()
	app.NewAPIHandler(nil).RegisterRoutes(router)
	answer := httptest.NewRecorder()
	router.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/api/transform", bytes.NewReader(body)))
	if answer.Code != http.StatusOK {
		t.Fatalf("Jaeger answers %d: %s", answer.Code, answer.Body)
	}
	return answer.Body.Bytes()
}

// lines say of each span what Jaeger keeps, in the order of the ids.
func lines(spans []trace.Span) (all []string) {
	for _, s := range spans {
		line := fmt.Sprintf("%s %s < %s  %s  %s  %s  %s %q  %d µs for %d µs", s.TraceID(), s.ID(), s.ParentID(), s.Service(), s.Name(), s.Kind(),
			s.Status(), s.StatusMessage(), s.Start()/1e3, s.Duration().Microseconds())
		for key, value := range s.Attrs() {
			line += fmt.Sprintf("  %s=%s", key, asText(value))
		}
		for l := range s.Links() {
			line += fmt.Sprintf("  -> %s %s", l.TraceID(), l.SpanID())
		}
		for e := range s.Events() {
			line += fmt.Sprintf("  %d: %s", e.Time()/1e3, e.Name())
		}
		all = append(all, line)
	}
	slices.Sort(all)
	return all
}

// asText is a value as Jaeger keeps it: a list is JSON.
func asText(v trace.Value) string {
	if v.Kind() == trace.String {
		return v.Str()
	}
	return strings.ReplaceAll(v.String(), " ", "")
}
