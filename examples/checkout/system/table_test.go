package main

import (
	"os"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/followspan/followspan/examples/checkout/internal/fault"
)

type flowFile struct {
	Flows map[string]struct {
		Calls, Sequence     string
		Expect, Never, Each []struct{ Name string }
	}
}

type faultTable map[fault.Fault]struct {
	Wrong, Shows string
	Fails        []string
}

// The table of faults names every fault, and only assertions of the flow file.
func TestFaultTable(t *testing.T) {
	assertions := assertionsOf(t, "../checkout.flow.yaml")
	var table faultTable
	load(t, "../faults.yaml", &table)
	if len(table) != len(fault.All()) {
		t.Errorf("faults.yaml has %d faults, want %d", len(table), len(fault.All()))
	}
	for _, f := range fault.All() {
		row := table[f]
		if row.Wrong == "" || (f != fault.None) != (len(row.Fails) > 0 && row.Shows != "") {
			t.Errorf("the row of %s is incomplete: %+v", f, row)
		}
		for _, name := range row.Fails {
			if !slices.Contains(assertions, name) {
				t.Errorf("%s fails %q, which checkout.flow.yaml does not have", f, name)
			}
		}
	}
}

// assertionsOf returns the names of a flow file's assertions, and its arrows.
func assertionsOf(t *testing.T, path string) []string {
	t.Helper()
	var file flowFile
	load(t, path, &file)
	flow := file.Flows["checkout"]
	names := slices.Concat(lines(flow.Calls), lines(flow.Sequence))
	for _, assertion := range slices.Concat(flow.Expect, flow.Never, flow.Each) {
		names = append(names, assertion.Name)
	}
	if sorted := slices.Sorted(slices.Values(names)); len(slices.Compact(sorted)) != len(names) {
		t.Errorf("two assertions have one name: %q", names)
	}
	return names
}

func lines(block string) []string {
	return strings.Split(strings.TrimSpace(block), "\n")
}

func load(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}
