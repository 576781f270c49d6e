package recording

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, name := range []string{"a.json", "b.jsonl.gz", "sub/c.binpb", "sub/D.JSON.ZST", "README.md", "x[1].json", "no-extension"} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name  string
		paths []string
		want  string // or the error
	}{
		{"a file, whatever it is called", []string{"no-extension"}, "no-extension"},
		{"a directory", []string{"."}, "a.json b.jsonl.gz sub/D.JSON.ZST sub/c.binpb x[1].json"},
		{"a pattern", []string{"*.json", "sub/*"}, "a.json x[1].json sub/D.JSON.ZST sub/c.binpb"},
		{"a file whose name is a pattern", []string{"x[1].json"}, "x[1].json"},
		{"each file once", []string{"a.json", "*.json", "a.json"}, "a.json x[1].json"},
		{"standard input", []string{"-", "a.json"}, "- a.json"},
		{"a directory by a pattern", []string{"su*"}, "sub/D.JSON.ZST sub/c.binpb"},
		{"nothing", []string{"gone.json"}, "gone.json: no such file"},
		{"a pattern that nothing matches", []string{"*.pb"}, "*.pb: no file matches"},
		{"no pattern", []string{"[*.pb"}, "[*.pb: syntax error in pattern"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			found, err := Find(tt.paths)
			got := filepath.ToSlash(strings.Join(found, " "))
			if err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("Find(%q)\n got %s\nwant %s", tt.paths, got, tt.want)
			}
		})
	}
	if err := os.Mkdir("empty", 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Find([]string{"empty"}); err == nil || !slices.Contains(strings.Fields(err.Error()), ".json,") {
		t.Errorf("a directory without recordings: error %v, want one that says what ends in what", err)
	}
}

// A link to a file counts as a file, as where a volume of Kubernetes is mounted.
func TestFindLinks(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.MkdirAll("in/dir", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("a.json", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{"in/link.json": "../a.json", "in/dir.json": "dir"} {
		if err := os.Symlink(to, from); err != nil {
			t.Skip(err) // not everybody may, on Windows
		}
	}
	found, err := Find([]string{"in"})
	if want := []string{filepath.Join("in", "link.json")}; err != nil || !slices.Equal(found, want) {
		t.Errorf("found %q, error %v, want %q", found, err, want)
	}
	if err := os.Symlink("gone.json", "in/broken.json"); err != nil {
		t.Fatal(err)
	}
	if found, err := Find([]string{"in"}); err == nil {
		t.Errorf("found %q though a link leads nowhere", found)
	}
}
