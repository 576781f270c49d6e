package recording

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/followspan/followspan/trace"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// readAll reads a recording into memory.
func readAll(t testing.TB, s Settings, content []byte) ([]trace.Span, Report, error) {
	t.Helper()
	var spans []trace.Span
	r := NewReader(s, func(b trace.Batch) error {
		spans = append(spans, b.Spans...)
		return nil
	})
	report, err := r.Read(context.Background(), "in", bytes.NewReader(content))
	if report.Spans != len(spans) {
		t.Errorf("the report counts %d spans, and %d were handed out", report.Spans, len(spans))
	}
	return spans, report, err
}

// mustRead reads a recording that is good.
func mustRead(t testing.TB, content []byte) ([]trace.Span, Report) {
	t.Helper()
	spans, report, err := readAll(t, Settings{}, content)
	if err != nil {
		t.Fatal(err)
	}
	return spans, report
}

func sample(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// describe writes spans for people, everything that they hold.
func describe(spans []trace.Span) string {
	var b strings.Builder
	for _, s := range spans {
		took := fmt.Sprint(int64(s.Duration()))
		if s.Start() > 0 && s.End() == 0 {
			took = "?"
		}
		fmt.Fprintf(&b, "%s %s %s %s %d+%s", s.Service(), s.Name(), s.Kind(), s.Status(), s.Start(), took)
		word(&b, "message", s.StatusMessage())
		word(&b, "state", s.TraceState())
		fmt.Fprintf(&b, "\n  %s %s < %s", s.TraceID(), s.ID(), s.ParentID())
		if s.Flags() != 0 {
			fmt.Fprintf(&b, " flags=%d", s.Flags())
		}
		b.WriteString("\n")
		attrs(&b, "  resource", s.Resource().Attrs())
		if s.Scope().Name() != "" {
			fmt.Fprintf(&b, "  scope %s %s\n", s.Scope().Name(), s.Scope().Version())
		}
		attrs(&b, "  attrs", s.Attrs())
		for e := range s.Events() {
			fmt.Fprintf(&b, "  event %d %s", e.Time(), e.Name())
			attrs(&b, "", e.Attrs())
		}
		for l := range s.Links() {
			fmt.Fprintf(&b, "  link %s %s", l.TraceID(), l.SpanID())
			attrs(&b, "", l.Attrs())
		}
	}
	return b.String()
}

func word(b *strings.Builder, name, s string) {
	if s != "" {
		fmt.Fprintf(b, " %s=%q", name, s)
	}
}

func attrs(b *strings.Builder, what string, all iter.Seq2[string, trace.Value]) {
	n := 0
	for k, v := range all {
		if n == 0 {
			b.WriteString(what)
		}
		n++
		fmt.Fprintf(b, " %s=%s", k, v)
	}
	if n > 0 || what == "" {
		b.WriteString("\n")
	}
}
