package lang

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/followspan/followspan/internal/diag"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var testScopes = map[string]*Scope{
	"span":    {Span: true, Sets: []string{"spans", "checkout", "payment", "email"}},
	"bare":    {Span: true, Bare: true, Sets: []string{"spans"}},
	"flow":    {Sets: []string{"spans", "checkout", "payment", "email"}, Params: map[string]Value{"max_checkout": durationValue(1e9)}},
	"trigger": {Sets: []string{"spans", "payment"}, Trigger: true},
}

// TestProblems compiles each line that starts with the name of a scope, and
// compares what is said about it with what stands below it.
func TestProblems(t *testing.T) {
	const path = "testdata/problems.txt"
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, line := range strings.Split(string(data), "\n") {
		name, source, ok := strings.Cut(line, ":")
		scope := testScopes[name]
		if !ok || scope == nil {
			continue
		}
		source = strings.TrimPrefix(source, " ")
		got.WriteString(strings.TrimRight(line, " ") + "\n")
		_, found := CompileBool(source, scope)
		src := diag.NewSource("source", source)
		var list diag.List
		for _, p := range found {
			severity := diag.Error
			if p.Warning {
				severity = diag.Warning
			}
			list = append(list, diag.Diagnostic{Severity: severity, What: p.What, Range: src.Range(p.From, p.To), Label: p.Label, Notes: p.Notes, Try: p.Try})
		}
		for _, text := range strings.Split(diag.Style{}.RenderAll(list), "\n") {
			if text = strings.TrimRight(text, " "); text != "" && text != "  |" && !strings.HasPrefix(text, " -->") {
				got.WriteString("    " + text + "\n")
			}
		}
	}
	if *update {
		if err := os.WriteFile(path, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(data), got.String()); diff != "" {
		t.Errorf("%s (-want +got)\n%s", path, diff)
	}
}
