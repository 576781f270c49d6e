package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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

// plain is what the report must say under each fault, as regular expressions.
var plain = map[string][]string{
	"none":          {`ok  \d+ passed`},
	"slow-email":    {`measured +3\.\d+s, from the end of checkout/payment\.v1\.Payment/Charge to the start of\s+email/send mail`, `allowed +2s`},
	"no-email":      {`checkout +send orders \(producer\)`, `nobody consumed this message to orders`},
	"double-charge": {`2 calls, exactly 1 allowed`, `payment\.charge\.id = "ch_1"`, `payment\.charge\.id = "ch_2"`, `no payment\.idempotency_key`},
	"lost-context":  {`email +process orders \(consumer\)`, `in another trace, [0-9a-f]{32}`, `neither a link to checkout/send orders nor a parent`, `the\s+message seems to have\s+arrived without its\s+headers`, `its\s+context\s+was\s+probably\s+lost,\s+since\s+email/process\s+orders`},
	"wrong-amount":  {`order\.amount = 4200 \(int\)`, `payment\.amount = "42\.00" \(string\)`, `4200 is 100 times that`},
	"wrong-env":     {`"staging" +\d+ spans of inventory`, `"test" +\d+ spans of`},
	"old-client":    {`inventory\.v1\.Inventory/ShippingC`, `failed with UNIMPLEMENTED, and no server span arrived`},
	"reversed":      {`Inventory/Reserve ends [0-9.]+ms after`, `Inventory/Reserve +│ +█+│`, `Payment/Charge +│█+ +│`},
	"sequential":    {`at most 1 of 3`, `Inventory/Price +│█+ +│`, `Inventory/Price +│ +█+│`},
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
			for _, want := range plain[name] {
				if !regexp.MustCompile(want).MatchString(text) {
					t.Errorf("the report does not say %s", want)
				}
			}
			if len(plain[name]) == 0 {
				t.Errorf("nothing is asked of the report")
			}
			if t.Failed() {
				t.Logf("the report:\n%s", text)
			}
		})
	}
}

// The system that followspan started and stopped has sent everything, and that is
// a proof; to call it one takes both.
func TestCheckoutProvesAbsences(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and starts a distributed system")
	}
	readSources(t)
	code, text, _ := runCheckout(t, "none", "--require-absence=proved", "-v")
	if code != run.ExitPassed || !strings.Contains(text, "absence: proved") || strings.Contains(text, "absence: quiet") {
		t.Errorf("exit code %d, and the report:\n%s", code, text)
	}
	code, text, _ = runCheckout(t, "none", "--require-absence=proved", "--export-batch=64")
	if code != run.ExitInconclusive || !strings.Contains(text, "the flow had to close before it was silent") {
		t.Errorf("exit code %d where SDKs may keep spans back, and the report:\n%s", code, text)
	}
}

// runCheckout runs the README's command with one fault.
func runCheckout(t *testing.T, fault string, flags ...string) (code int, text string, junit []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "junit.xml")
	args := append([]string{"run", filepath.Join(checkoutDir, "checkout.flow.yaml"), "--param", "fault=" + fault, "--report", "junit=" + path}, flags...)
	command := exec.CommandContext(t.Context(), "followspan", args...)
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	command.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
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
