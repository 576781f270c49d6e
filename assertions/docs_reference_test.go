package assertions_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/trace"
)

// row is a line of a table below its head.
type row struct {
	head  []string
	cells []string
	line  int
}

var cellBorder = regexp.MustCompile(`\s*\|\s*`)

func cellsOf(line string) []string {
	return cellBorder.Split(strings.Trim(strings.TrimSpace(line), "| "), -1)
}

func tablesOf(doc string) (rows []row) {
	var head []string
	for i, line := range strings.Split(doc, "\n") {
		switch {
		case !strings.HasPrefix(line, "|"):
			head = nil
		case head == nil:
			head = cellsOf(line)
		case !strings.HasPrefix(line, "|---"):
			rows = append(rows, row{head, cellsOf(line), i + 1})
		}
	}
	return rows
}

// code is what stands between the first backticks of a cell.
func code(cell string) string {
	_, text, _ := strings.Cut(cell, "`")
	text, _, _ = strings.Cut(text, "`")
	return text
}

func rowOf(t *testing.T, rows []row, first string, fits func(code string) bool) (row, bool) {
	t.Helper()
	for _, r := range rows {
		if r.head[0] == first && slices.ContainsFunc(strings.Split(r.cells[0], ", `"), func(c string) bool { return fits(strings.Trim(c, "`")) }) {
			return r, true
		}
	}
	return row{}, false
}

// Every word stands in the reference with its type, its meaning and an example.
func TestLanguageWords(t *testing.T) {
	rows := tablesOf(readLanguage(t))
	for _, w := range lang.Words {
		named := regexp.MustCompile(`^([abx]\.)?` + w.Name + `($|\()`)
		r, ok := rowOf(t, rows, "word", named.MatchString)
		if !ok {
			t.Errorf("%s (%s) is missing: %s", w.Name, w.Signature(), w.Doc)
			continue
		}
		if w.Result.Base != lang.TAny && r.cells[1] != w.Result.String() && w.Result.String() != "a value" {
			t.Errorf("line %d: %s gives %s, not %s", r.line, w.Name, w.Result, r.cells[1])
		}
		if r.cells[2] != w.Doc {
			t.Errorf("line %d: %s is %q, not %q", r.line, w.Name, w.Doc, r.cells[2])
		}
		if !strings.Contains(r.cells[3], w.Name) && !strings.Contains(r.cells[3], "where") {
			t.Errorf("line %d: the example does not use %s", r.line, w.Name)
		}
	}
}

// So does every field of a span.
func TestLanguageFields(t *testing.T) {
	rows := tablesOf(readLanguage(t))
	for _, name := range lang.FieldNames() {
		r, ok := rowOf(t, rows, "field", func(code string) bool { return code == name })
		if !ok {
			t.Errorf("%s is missing", name)
			continue
		}
		want := "a map"
		if e, problems := lang.Compile(name, &lang.Scope{Span: true}); len(problems) == 0 {
			want = e.Type.String()
		}
		if r.cells[1] != want || !strings.Contains(r.cells[3], name) {
			t.Errorf("line %d: want %s | %s | … | an example of it", r.line, name, want)
		}
	}
}

// Every key of the file is named in the reference.
func TestLanguageKeys(t *testing.T) {
	_, reference, _ := strings.Cut(readLanguage(t), "## Reference")
	var schema any
	if err := json.Unmarshal(assertions.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	collectKeys(schema, keys)
	if len(keys) < 40 {
		t.Fatalf("the schema has %d keys", len(keys))
	}
	for key := range keys {
		if !strings.Contains(reference, "`"+key+"`") {
			t.Errorf("the key %s is missing", key)
		}
	}
}

func collectKeys(schema any, keys map[string]bool) {
	switch x := schema.(type) {
	case []any:
		for _, v := range x {
			collectKeys(v, keys)
		}
	case map[string]any:
		if properties, ok := x["properties"].(map[string]any); ok {
			for key := range properties {
				keys[key] = true
			}
		}
		for _, v := range x {
			collectKeys(v, keys)
		}
	}
}

// What the tables call an example holds for the trace of the examples, and what
// they call a selector selects some span of it.
func TestLanguageTables(t *testing.T) {
	doc := readLanguage(t)
	_, rest, found := strings.Cut(doc, "### The trace of the examples")
	if !found {
		t.Fatal("the trace of the examples is missing")
	}
	blocks := blocksOf(rest)
	spans, flow := blocks[0].text, indented(blocks[1].text)
	var sets, expect strings.Builder
	lines := map[string]int{}
	for _, r := range tablesOf(doc) {
		last := len(r.head) - 1
		if kind := r.head[last]; kind != "example" && kind != "selects" {
			continue
		} else if text := code(r.cells[last]); kind == "example" {
			fmt.Fprintf(&expect, "      - |\n        %s\n", text)
			lines[text] = r.line
		} else {
			fmt.Fprintf(&sets, "  line_%d: |\n    %s\n", r.line, text)
			fmt.Fprintf(&expect, "      - line_%d.exists\n", r.line)
			lines[fmt.Sprintf("line_%d.exists", r.line)] = r.line
		}
	}
	if len(lines) < 100 {
		t.Fatalf("%d examples", len(lines))
	}
	text := "version: 1\nspans:\n" + sets.String() + "flows:\n  example:\n" + flow + "    expect:\n" + expect.String()
	suite, problems := assertions.Load(diag.NewSource("tables.yaml", text), assertions.Options{})
	if len(problems) > 0 {
		t.Fatal(diag.Style{}.RenderAll(problems))
	}
	for v := range judgeSketch(t, suite, spans).Verdicts() {
		if v.Outcome != assertions.Pass {
			t.Errorf("line %d: %s: %s, %s", lines[v.Assertion.Text], v.Assertion.Text, v.Outcome, v.Explanation().Why)
		}
	}
}

// The renamed attributes are those of the tables.
func TestLanguageRenamedAttributes(t *testing.T) {
	names := regexp.MustCompile("`([^`]+)`")
	found := 0
	for _, r := range tablesOf(readLanguage(t)) {
		if r.head[0] != "current" {
			continue
		}
		found++
		var listed []string
		for _, m := range names.FindAllStringSubmatch(r.cells[0]+r.cells[1], -1) {
			listed = append(listed, m[1])
		}
		if want := trace.Aliases(listed[0]); !slices.Equal(want, listed) {
			t.Errorf("line %d: %s is found as %v", r.line, listed[0], want)
		}
	}
	if found < 30 {
		t.Errorf("%d renamed attributes", found)
	}
}

// The defaults of the language are what the reference says.
func TestLanguageDefaults(t *testing.T) {
	rows := tablesOf(readLanguage(t))
	for what, want := range map[string]any{
		"deadline": trace.DefaultDeadline, "quiet": trace.DefaultQuiet, "stitch.hops": trace.DefaultHops,
		"system.start": assertions.DefaultStart, "system.stop": assertions.DefaultStop,
	} {
		text := fmt.Sprint(want)
		if d, ok := want.(time.Duration); ok {
			text = strings.Replace(lang.FormatDuration(d), "m0s", "m", 1)
		}
		if r, ok := rowOf(t, rows, "what", func(code string) bool { return code == what }); !ok || r.cells[1] != text {
			t.Errorf("%s: want %s, got %v", what, text, r.cells)
		}
	}
}
