package assertions

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/followspan/followspan/internal/diag"
)

// loadSuite loads a file that must be right.
func loadSuite(t *testing.T, path string) *Suite {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	suite, problems := Load(diag.NewSource(filepath.Base(path), string(text)), Options{Getenv: environment})
	if suite == nil {
		t.Fatal(diag.Style{}.RenderAll(problems))
	}
	return suite
}

// golden compares text with a file, or writes it.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestLint(t *testing.T) {
	for _, path := range corpus(t, "lint/*.flow.yaml") {
		got := diag.Style{}.RenderAll(loadSuite(t, path).Lint())
		golden(t, strings.TrimSuffix(path, ".flow.yaml")+".out", got)
	}
}
