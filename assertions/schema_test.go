package assertions

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/followspan/followspan/internal/diag"
)

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("flow.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("flow.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// decodeYAML is a YAML text as an editor hands it to a validator.
func decodeYAML(t *testing.T, text []byte) any {
	t.Helper()
	var doc any
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := jsonschema.UnmarshalJSON(bytes.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	return decoded
}

func TestSchemaAcceptsGoodFiles(t *testing.T) {
	compiled := compileSchema(t)
	paths := slices.Concat(corpus(t, "ok/*.yaml"), corpus(t, "flows/*.yaml"))
	for _, pattern := range []string{"../examples/*/*.flow.yaml", "../cmd/*/*.flow.yaml"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, found...)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := compiled.Validate(decodeYAML(t, text)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// goodFlow is a file to whose end wrong lines are added.
const goodFlow = "version: 1\nflows:\n  f:\n    origin: name == \"a\"\n"

// Both the loader and the schema refuse what has another structure.
func TestSchemaAndLoaderRefuseTheSame(t *testing.T) {
	compiled := compileSchema(t)
	for _, wrong := range []string{
		"    orign: x",
		"  g: [a]",
		"  invariants: {origin: name == \"a\"}",
		"checks: {}",
		"params: {max-time: 1s}",
		"params: {a: {b: 1}}",
		"params: {a: [[1]]}",
		"params: {a: }",
		"params: [a]",
		"defaults: {deadline: soon}",
		"defaults: {deadline: 5}",
		"defaults: {quiet: -1s}",
		"defaults: {clock_skew: never}",
		"defaults: {timeout: 1s}",
		"defaults: {stitch: {scope: session}}",
		"defaults: {stitch: {hops: 0}}",
		"defaults: {stitch: {hops: 2.5}}",
		"defaults: {stitch: {keys: {a: b}}}",
		"defaults: {stitch: {keys: []}}",
		"system: {dir: x}",
		"system: ./run.sh",
		"system: {command: [[a]]}",
		"system: {command: a, env: [A=b]}",
		"system: {command: a, env: {A: }}",
		"system: {command: a, ready: {}}",
		"system: {command: a, ready: {tcp: a, http: b}}",
		"system: {command: a, ready: soon}",
		"system: {command: a, stop: soon}",
		"spans: {my-set: name == \"a\"}",
		"spans: {a: [x]}",
		"spans: {a: }",
		"invariants: {origin: name == \"a\"}",
		"invariants: {never: [{that: isOrphan, since: 3}]}",
		"invariants: {each: [{spans: isRoot, check: isRoot, within: 1s}]}",
		"    trigger: curl\n    trigger2: x",
		"    trigger: {}",
		"    trigger: {repeat: 2}",
		"    trigger: {http: {url: a}, command: b}",
		"    trigger: {http: {method: GET}}",
		"    trigger: {http: {url: a, body: b, json: c}}",
		"    trigger: {http: {url: a, timeout: long}}",
		"    trigger: {http: {url: a, headers: [b]}}",
		"    trigger: {http: {url: a, query: b}}",
		"    trigger: {command: {dir: a}}",
		"    trigger: {command: {argv: {a: b}}}",
		"    trigger: {grpc: {target: a}}",
		"    trigger: {grpc: {target: a, method: b, body: c}}",
		"    trigger: {http: {url: a}, repeat: 0}",
		"    runs: twice",
		"    runs: 2",
		"    runs: exactly many",
		"    timing: 5s",
		"    timing: {stitch: {}}",
		"    calls: {a: b}",
		"    calls: []",
		"    sequence: [[a]]",
		"    only: {a: [b]}",
		"    expect: spans.exists",
		"    expect: []",
		"    expect: [[a]]",
		"    expect: [{when: spans.exists}]",
		"    expect: [{that: spans.exists, per: session}]",
		"    expect: [{that: spans.exists, severity: fatal}]",
		"    expect: [{that: spans.exists, within: 5}]",
		"    expect: [{that: {a: b}}]",
		"    never: isRoot",
		"    each: {spans: isRoot, check: isRoot}",
		"    each: [isRoot]",
		"    each: [{spans: isRoot}]",
		"    each: [{spans: isRoot, check: isRoot, per: trace}]",
		"    across: 50",
		"    across: {runs: 50}",
		"    across: {runs: many, expect: [a]}",
		"    across: {runs: 0, expect: [a]}",
		"    spans:",
		"    description: [a]",
	} {
		refusedByBoth(t, compiled, goodFlow+wrong+"\n")
	}
	for _, text := range []string{"version: 2\nflows: {}", "version: 1", "flows: {}", "version: 1\nflows: []", "[]", "version:"} {
		refusedByBoth(t, compiled, text+"\n")
	}
}

func refusedByBoth(t *testing.T, compiled *jsonschema.Schema, text string) {
	t.Helper()
	if _, problems := ParseFile(diag.NewSource("a.yaml", text), FileOptions{}); !problems.HasErrors() {
		t.Errorf("the loader accepts\n%s", text)
	}
	if err := compiled.Validate(decodeYAML(t, []byte(text))); err == nil {
		t.Errorf("the schema accepts\n%s", text)
	}
}

// Every key that the loader knows is in the schema, at the same place, and the
// other way round; and the schema describes each of them.
func TestSchemaHasTheKeysOfTheLoader(t *testing.T) {
	var doc map[string]any
	if err := json.Unmarshal(Schema(), &doc); err != nil {
		t.Fatal(err)
	}
	loader, schema := map[string][]string{}, map[string][]string{}
	loaderKeys(t, loader, nil)
	s := schemaKeys{t: t, doc: doc, found: schema}
	s.visit(nil, doc)
	if len(loader) < 15 {
		t.Errorf("found only %d mappings of the loader", len(loader))
	}
	if diff := cmp.Diff(loader, schema); diff != "" {
		t.Errorf("keys by place (-loader +schema):\n%s", diff)
	}
}

// place is the way to a value: keys, "*" for a name that the author chooses, "-"
// for an item of a list.
type place []string

func (p place) then(step string) place { return append(slices.Clone(p), step) }

// loaderKeys asks the loader for the keys of the mapping at a place, by giving it
// one that it cannot know, and goes on below each of them.
func loaderKeys(t *testing.T, found map[string][]string, at place) {
	t.Helper()
	const unknown = "no key is called this"
	var value any = map[string]any{unknown: 1}
	for _, step := range slices.Backward(at) {
		switch step {
		case "*":
			value = map[string]any{"x": value}
		case "-":
			value = []any{value}
		default:
			value = map[string]any{step: value}
		}
	}
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	_, problems := ParseFile(diag.NewSource("a.yaml", string(text)), FileOptions{})
	for _, p := range problems {
		if p.What != "unknown key" || !strings.Contains(p.Label, unknown) {
			continue
		}
		list := strings.TrimSuffix(strings.TrimPrefix(p.Notes[0], "The keys here are "), ".")
		keys := strings.Split(list, ", ")
		found[strings.Join(at, " ")] = slices.Sorted(slices.Values(keys))
		for _, key := range keys {
			for _, below := range []place{at.then(key), at.then(key).then("*"), at.then(key).then("-")} {
				loaderKeys(t, found, below)
			}
		}
	}
}

// schemaKeys finds the keys that a schema knows, by place.
type schemaKeys struct {
	t     *testing.T
	doc   map[string]any
	found map[string][]string
}

func (s schemaKeys) visit(at place, schema map[string]any) {
	if ref, ok := schema["$ref"].(string); ok {
		defs := s.doc["$defs"].(map[string]any)
		target, ok := defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
		if !ok {
			s.t.Fatalf("%s: there is no %s", at, ref)
		}
		s.visit(at, target)
	}
	for _, combination := range []string{"anyOf", "oneOf", "allOf"} {
		options, _ := schema[combination].([]any)
		for _, option := range options {
			s.visit(at, option.(map[string]any))
		}
	}
	if items, ok := schema["items"].(map[string]any); ok {
		s.visit(at.then("-"), items)
	}
	if values, ok := schema["additionalProperties"].(map[string]any); ok {
		s.visit(at.then("*"), values)
	}
	properties, ok := schema["properties"].(map[string]any)
	if !ok {
		return
	}
	if schema["additionalProperties"] != false {
		s.t.Errorf("%s: the schema allows any key", at)
	}
	s.found[strings.Join(at, " ")] = slices.Sorted(maps.Keys(properties))
	for key, value := range properties {
		below := value.(map[string]any)
		if s.description(below) == "" {
			s.t.Errorf("%s: nothing describes %s", at, key)
		}
		s.visit(at.then(key), below)
	}
}

// description is what an editor shows for a key.
func (s schemaKeys) description(schema map[string]any) string {
	text, ok := schema["description"].(string)
	if ref, isRef := schema["$ref"].(string); !ok && isRef {
		return s.description(s.doc["$defs"].(map[string]any)[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any))
	}
	return text
}
