package recording

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Stdin is the path that means the standard input.
const Stdin = "-"

// extensions are those by which a recording is recognised in a directory, where
// other files may lie as well.
var extensions = []string{".json", ".jsonl", ".ndjson", ".pb", ".binpb", ".proto", ".otlp", ".followspan"}

// compressions may stand behind an extension.
var compressions = []string{".gz", ".zst"}

// Find returns the files that the paths name, each once: files as they are, the
// recordings in directories and below in the order of their names, and what the
// pattern of a path matches, as [filepath.Match] does. The path "-" stays as it is. In
// directories links to files are followed, those to directories are not.
func Find(paths []string) ([]string, error) {
	var found []string
	known := map[string]bool{}
	for _, path := range paths {
		files, err := find(path)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			if !known[f] {
				found, known[f] = append(found, f), true
			}
		}
	}
	return found, nil
}

func find(path string) ([]string, error) {
	if path == Stdin {
		return []string{path}, nil
	}
	info, err := os.Stat(path)
	switch {
	case path == "":
		return nil, errors.New("the path of a recording is empty")
	case errors.Is(err, fs.ErrNotExist) && strings.ContainsAny(path, "*?["):
		return findMatches(path)
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: no such file", path)
	case err != nil:
		return nil, err
	case info.IsDir():
		return findIn(path)
	}
	return []string{path}, nil
}

func findMatches(pattern string) ([]string, error) {
	matches, err := filepath.Glob(pattern)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", pattern, err)
	}
	if len(matches) == 0 {
		return nil, fmt.Errorf("%s: no file matches", pattern)
	}
	return Find(matches)
}

func findIn(dir string) ([]string, error) {
	var found []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !isRecording(path) {
			return err
		}
		mode := d.Type()
		if mode&fs.ModeSymlink != 0 {
			info, err := os.Stat(path)
			if err != nil {
				return err
			}
			mode = info.Mode()
		}
		if mode.IsRegular() {
			found = append(found, path)
		}
		return nil
	})
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("%s: no file in it ends in %s", dir, strings.Join(extensions, ", "))
	}
	return found, err
}

func isRecording(path string) bool {
	name, _ := cutExtension(path)
	return slices.Contains(extensions, filepath.Ext(name))
}
