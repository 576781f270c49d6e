package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/followspan/followspan/internal/run"
)

const checkoutDir = "../../examples/checkout"

// fault is what faults.yaml says of one.
type fault struct {
	Wrong  string
	Fails  []string
	Unsure bool // what bounds or excludes is inconclusive: an edge stays open
	Shows  string
}

// The example passes, and each fault makes exactly those assertions fail that are
// about it.
func TestCheckoutFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and starts a distributed system")
	}
	readSources(t)
	text, err := os.ReadFile(filepath.Join(checkoutDir, "faults.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var faults map[string]fault
	if err := yaml.Unmarshal(text, &faults); err != nil {
		t.Fatal(err)
	}
	if len(faults) != 10 {
		t.Fatalf("faults.yaml has %d faults, want none and nine", len(faults))
	}
	for name, f := range faults {
		t.Run(name, func(t *testing.T) {
			code, text, junit := runCheckout(t, name)
			want := run.ExitPassed
			if len(f.Fails) > 0 {
				want = run.ExitFailed
			}
			if code != want {
				t.Errorf("exit code %d, want %d", code, want)
			}
			failed, unsure := failures(t, junit)
			if diff := cmp.Diff(sorted(f.Fails), failed); diff != "" {
				t.Errorf("failed assertions (-want +got)\n%s", diff)
			}
			if f.Unsure != (len(unsure) > 0) {
				t.Errorf("inconclusive: %q, want some: %v", unsure, f.Unsure)
			}
			if t.Failed() {
				t.Logf("the report:\n%s", text)
			}
		})
	}
}

// runCheckout runs the README's command with one fault.
func runCheckout(t *testing.T, fault string) (code int, text string, junit []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "junit.xml")
	command := exec.CommandContext(t.Context(), "followspan", "run", filepath.Join(checkoutDir, "checkout.flow.yaml"),
		"--param", "fault="+fault, "--report", "junit="+path)
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("run the example: %v\n%s", err, out.String())
	}
	junit, err = os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	return command.ProcessState.ExitCode(), out.String(), junit
}

// failures lists the cases of a JUnit report that did not pass.
func failures(t *testing.T, junit []byte) (failed, unsure []string) {
	t.Helper()
	type problem struct {
		Type string `xml:"type,attr"`
	}
	var report struct {
		Suites []struct {
			Cases []struct {
				Name    string   `xml:"name,attr"`
				Failure *problem `xml:"failure"`
				Error   *problem `xml:"error"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(junit, &report); err != nil {
		t.Fatal(err)
	}
	for _, s := range report.Suites {
		for _, c := range s.Cases {
			name, _, _ := strings.Cut(c.Name, " [flow ")
			switch {
			case c.Failure != nil && c.Failure.Type == "inconclusive":
				unsure = append(unsure, name)
			case c.Failure != nil, c.Error != nil:
				failed = append(failed, name)
			}
		}
	}
	return sorted(failed), unsure
}

func sorted(names []string) []string {
	return slices.Sorted(slices.Values(append([]string{}, names...)))
}

// readSources reads what the example is built from, so that go test does not take
// a result from its cache after the example changed.
func readSources(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(checkoutDir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			_, err = os.ReadFile(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
