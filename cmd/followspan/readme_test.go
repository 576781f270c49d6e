package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/internal/diag"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// fenced returns the blocks of a language; "" are those of none.
func fenced(text, language string) (blocks []string) {
	for _, m := range regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$").FindAllStringSubmatch(text, -1) {
		if m[1] == language {
			blocks = append(blocks, m[2])
		}
	}
	return blocks
}

// Every flow file of the README loads.
func TestReadmeFlowFiles(t *testing.T) {
	blocks := fenced(readme(t), "yaml")
	if len(blocks) < 3 {
		t.Fatalf("the README has %d flow files, want at least 3", len(blocks))
	}
	for _, b := range blocks {
		if _, problems := assertions.Load(diag.NewSource("README.md", b), assertions.Options{}); len(problems) > 0 {
			t.Errorf("%s", diag.Style{}.RenderAll(problems))
		}
	}
}

// Every command of the README is one that the program takes.
func TestReadmeCommands(t *testing.T) {
	commands := regexp.MustCompile(`(?m)^    (go run \./cmd/followspan|followspan) (.*)$`).FindAllStringSubmatch(readme(t), -1)
	if len(commands) < 4 {
		t.Fatalf("the README has %d commands, want at least 4", len(commands))
	}
	for _, m := range commands {
		c, args, err := newRoot().Find(strings.Fields(m[2]))
		if err == nil {
			err = c.ParseFlags(args)
		}
		if err == nil {
			err = c.ValidateArgs(c.Flags().Args())
		}
		if err != nil {
			t.Errorf("%s: %v", m[0], err)
		}
	}
}

// The failure that the README shows is what the program prints, but for times and ids.
func TestReadmeFailure(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and starts a distributed system")
	}
	readSources(t)
	text := readme(t)
	const shown = "go run ./cmd/followspan run examples/checkout/checkout.flow.yaml --param fault=slow-email"
	if !strings.Contains(text, "    "+shown+"\n") {
		t.Fatalf("the README does not show %s", shown)
	}
	command := exec.CommandContext(t.Context(), "followspan", strings.Fields(shown)[3:]...)
	command.Dir = filepath.Join("..", "..")
	command.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	var out bytes.Buffer
	command.Stdout = &out
	_ = command.Run() // it fails, as the report says
	want := fenced(text, "")[0]
	_, got, found := strings.Cut(out.String(), "\nFAIL ")
	if !found {
		t.Fatalf("nothing failed:\n%s", out.String())
	}
	if diff := cmp.Diff(steady(want), steady("FAIL "+got)); diff != "" {
		t.Errorf("the failure in the README (-want +got)\n%s", diff)
	}
}

// varying are the parts of a report that differ from run to run, and what to
// compare in their place.
var varying = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`\bflow [0-9a-f]{8}\b`), "flow ID"},
	{regexp.MustCompile(`[0-9]+(\.[0-9]+)?(µs|ms|s)`), "TIME"},
	{regexp.MustCompile(`█+`), "█"},
	{regexp.MustCompile(`[│^|]`), ""},
	{regexp.MustCompile(`\s+`), " "}, // lines wrap where the figures end
}

func steady(report string) string {
	for _, v := range varying {
		report = v.pattern.ReplaceAllString(report, v.with)
	}
	return strings.TrimSpace(report)
}
