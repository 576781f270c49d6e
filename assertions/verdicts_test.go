package assertions_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

// updating reports whether the tests were run with -update.
func updating() bool { return flag.Lookup("update").Value.String() == "true" }

// TestVerdicts judges the sketch of each file by its suite and compares what was
// found, with all of its evidence. Verdicts that pass are left out unless the
// comment of the file says "all".
func TestVerdicts(t *testing.T) {
	files, err := filepath.Glob("testdata/verdicts/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := verdictsOf(t, archive)
			file := section(archive, "verdicts")
			if updating() {
				file.Data = []byte(got)
				if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(file.Data), got); diff != "" {
				t.Errorf("%s (-want +got)\n%s", path, diff)
			}
		})
	}
}

func section(a *txtar.Archive, name string) *txtar.File {
	for i := range a.Files {
		if a.Files[i].Name == name {
			return &a.Files[i]
		}
	}
	a.Files = append(a.Files, txtar.File{Name: name})
	return &a.Files[len(a.Files)-1]
}

func verdictsOf(t *testing.T, a *txtar.Archive) string {
	suite, problems := assertions.Load(diag.NewSource("suite.yaml", string(section(a, "suite.yaml").Data)), assertions.Options{})
	if problems.HasErrors() {
		t.Fatal(diag.Style{}.RenderAll(problems))
	}
	found := play(t, suite, string(section(a, "flow").Data), inTurn)
	var verdicts []assertions.Verdict
	for _, v := range found {
		verdicts = append(verdicts, v)
	}
	order := map[*assertions.Assertion]int{}
	for _, f := range suite.Flows() {
		for _, assertion := range f.Assertions {
			order[assertion] = len(order)
		}
	}
	slices.SortFunc(verdicts, func(a, b assertions.Verdict) int {
		if c := order[a.Assertion] - order[b.Assertion]; c != 0 {
			return c
		}
		return strings.Compare(a.Instance, b.Instance)
	})
	var b strings.Builder
	for _, v := range verdicts {
		if v.Outcome != assertions.Pass || strings.Contains(string(a.Comment), "all") {
			write(&b, v)
		}
	}
	return b.String()
}

// write shows every part of a verdict.
func write(b *strings.Builder, v assertions.Verdict) {
	fmt.Fprintf(b, "%s  %s", strings.ToUpper(v.Outcome.String()), v.Assertion.Name)
	if v.Early {
		fmt.Fprintf(b, "  [early, by %s/%s]", v.By.Service, v.By.Name)
	}
	if v.Grade != assertions.NoAbsence {
		fmt.Fprintf(b, "  [absence %s]", v.Grade)
	}
	if v.Vacuous {
		b.WriteString("  [vacuous]")
	}
	b.WriteString("\n")
	e := v.Explanation()
	if e.Why != "" {
		fmt.Fprintf(b, "  %s\n", e.Why)
	}
	if !e.At.IsZero() {
		fmt.Fprintf(b, "  at: %s\n", e.At.Text())
	}
	for _, x := range e.Values {
		fmt.Fprintf(b, "  value: %s = %s (under %q)\n", x.Text, x.Show, x.At.Text())
	}
	for _, x := range e.Facts {
		fmt.Fprintf(b, "  %s: %s\n", x.Label, x.Text)
	}
	writeSpans(b, "span", e.Spans)
	if e.Of > len(e.Spans) {
		fmt.Fprintf(b, "  and %d more\n", e.Of-len(e.Spans))
	}
	writeSpans(b, "timeline", e.Timeline)
	for _, n := range e.Near {
		fmt.Fprintf(b, "  near: %s, %d of %d", name(n.Span), n.Holds, n.Of)
		if n.Fails != "" {
			fmt.Fprintf(b, ", not %s: %s", n.Fails, n.Actual)
		}
		if n.OtherTrace {
			b.WriteString(", other trace")
		}
		b.WriteString("\n")
		if n.Explanation != "" {
			fmt.Fprintf(b, "    %s\n", n.Explanation)
		}
	}
	for _, n := range e.Notes {
		fmt.Fprintf(b, "  note: %s\n", n)
	}
	for _, n := range e.Try {
		fmt.Fprintf(b, "  try: %s\n", n)
	}
	b.WriteString("\n")
}

func writeSpans(b *strings.Builder, label string, spans []assertions.SpanNote) {
	for _, s := range spans {
		fmt.Fprintf(b, "  %s: %s  %s\n", label, name(s.Span), s.Note)
	}
}

func name(r assertions.SpanRef) string {
	at := func(t trace.Time) string { return t.Sub(sketch.Base).String() }
	return fmt.Sprintf("%s/%s %s..%s", r.Service, r.Name, at(r.Start), at(r.End))
}
