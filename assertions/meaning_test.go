package assertions_test

import (
	"fmt"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/internal/diag"
)

// desugared is a file in which every assertion that has a meaning of its own stands as a plain expression, named by the
// place of what it was.
func desugared(t *testing.T, suite *assertions.Suite) *assertions.Suite {
	t.Helper()
	params, flows := map[string]any{}, map[string]any{}
	for _, p := range suite.File().Params {
		params[p.Name] = p.Text
		if list, ok := p.Value.([]any); ok {
			params[p.Name] = list
		}
	}
	for _, f := range suite.Flows() {
		spans, expect := map[string]string{}, []map[string]any{}
		for _, list := range [][]assertions.SetDecl{suite.File().Spans, f.Decl.Spans} {
			for _, s := range list {
				spans[s.Name] = s.Spans.Text
			}
		}
		for _, m := range suite.Meanings() {
			if m.Flow != f.Name {
				continue
			}
			if strings.Contains(m.That, "\n") {
				t.Errorf("more than one line: %s", m.That)
			}
			for _, s := range m.Spans {
				spans[s.Name] = s.Source
			}
			item := map[string]any{"name": fmt.Sprint("#", m.Range.Start), "that": m.That}
			if m.Within > 0 {
				item["within"] = m.Within.String()
			}
			expect = append(expect, item)
		}
		flow := map[string]any{"origin": f.Decl.Origin.Text, "spans": spans, "expect": expect}
		if len(f.Decl.Stitch.Keys) > 0 {
			flow["stitch"] = map[string]any{"keys": f.Decl.Stitch.Keys}
		}
		if !f.Decl.Origin.IsZero() && len(expect) > 0 {
			flows[f.Name] = flow
		}
	}
	text, err := yaml.Marshal(map[string]any{"version": 1, "params": params, "flows": flows})
	if err != nil {
		t.Fatal(err)
	}
	plain, problems := assertions.Load(diag.NewSource("plain.yaml", string(text)), assertions.Options{})
	if plain == nil {
		t.Fatal(diag.Style{}.RenderAll(problems))
	}
	return plain
}

// What --desugar prints gives the verdicts of what it was made from.
func TestMeaningsMeanTheSame(t *testing.T) {
	for _, file := range []string{"examples", "classes", "sugar"} {
		suite := loadSuite(t, "testdata/flows/"+file+".flow.yaml")
		plain := desugared(t, suite)
		outcomes := map[assertions.Outcome]int{}
		for _, b := range append([]broken{{flow: "shop"}, {flow: "login"}}, examples...) {
			want := map[string]assertions.Outcome{}
			for key, v := range playClosed(t, suite, b.sketch(t)) {
				want[instance(key)+fmt.Sprint(" #", v.Assertion.Range.Start)] = v.Outcome
			}
			for key, v := range playClosed(t, plain, b.sketch(t)) {
				was := want[instance(key)+" "+v.Assertion.Name]
				if was == assertions.NotApplicable && v.Outcome != assertions.Fail {
					continue // a plain expression passes instead, or could do so if more had arrived
				}
				if v.Outcome != was {
					t.Errorf("%s, %s: %s is %s, and was %s: %s", file, b.assertion, v.Assertion.Text, v.Outcome, was, v.Explanation().Why)
				}
				outcomes[v.Outcome]++
			}
		}
		if outcomes[assertions.Pass] == 0 || outcomes[assertions.Fail] == 0 && file != "classes" {
			t.Errorf("%s: the verdicts were %v", file, outcomes)
		}
	}
}

// instance is the flow and the trace of a verdict's key. The number behind the trace depends on what else is declared.
func instance(key string) string {
	parts := strings.Fields(key)
	id, _, _ := strings.Cut(parts[1], "-")
	return parts[0] + " " + id
}
