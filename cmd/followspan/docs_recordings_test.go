package main

import (
	"errors"
	"os"
	"os/exec"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/followspan/followspan/internal/run"
)

// Every output in docs/recordings.md is what the command above it prints: if it fails,
// what it says about that.
func TestDocumentedRecordings(t *testing.T) {
	text, err := os.ReadFile("../../docs/recordings.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile("(?ms)^    followspan ([^\n]*)\n\n```\\w*\n(.*?)^```$").FindAllStringSubmatch(string(text), -1)
	if len(examples) < 8 {
		t.Fatalf("docs/recordings.md shows %d outputs", len(examples))
	}
	for _, example := range examples {
		command := exec.CommandContext(t.Context(), "followspan", words(example[1])...)
		command.Dir = "../../examples/recorded"
		command.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
		got, err := command.Output()
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() == run.ExitBadInput {
			got = exit.Stderr
		} else if err != nil {
			t.Errorf("followspan %s: %v", example[1], err)
		}
		if diff := cmp.Diff(unclocked(example[2]), unclocked(string(got))); diff != "" {
			t.Errorf("followspan %s (-documented +printed)\n%s", example[1], diff)
		}
	}
}

// unclocked leaves out how long the command took, which ends the summary.
func unclocked(report string) string {
	return regexp.MustCompile(`(?m) · [0-9.]+(µs|ms|s)$`).ReplaceAllString(report, "")
}
