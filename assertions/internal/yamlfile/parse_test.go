package yamlfile

import (
	"fmt"
	"strings"
	"testing"

	"github.com/followspan/followspan/internal/diag"
	"github.com/google/go-cmp/cmp"
)

// scalars returns the scalars of the tree, each once.
func scalars(n *Node) []*Node {
	var all []*Node
	seen := map[*Node]bool{}
	var walk func(*Node)
	walk = func(n *Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		if n.Kind == Scalar {
			all = append(all, n)
		}
		for _, item := range n.Items {
			walk(item)
		}
		for _, p := range n.Pairs {
			walk(p.Key)
			walk(p.Value)
		}
	}
	walk(n)
	return all
}

// The value of each key v is searched for the word mark, which must be found in the file under the same bytes.
func TestPositionOfAWordInEveryStyle(t *testing.T) {
	tests := []struct{ name, text string }{
		{"plain", "v: a mark b\n"},
		{"plain with wide runes", "v: 名前é mark b # comment\n"},
		{"plain over lines", "v: a\n   b   \n\n\n   mark c\nw: x\n"},
		{"plain in brackets", "v: [x, a mark b, y]\n"},
		{"plain in braces over lines", "v: {x: a\n    mark b, y: 1}\n"},
		{"single quotes", "v: 'it''s ''mark'''\n"},
		{"single quotes over lines", "v: 'it''s  \n\n   a   \n   mark'\n"},
		{"double quotes", `v: "\"a\" \\. \u00e9\x41\U0001F680 \t mark"` + "\n"},
		{"double quotes over lines", "v: \"a \\\n     b\\\n  \\ c\n\n\n  mark\"\n"},
		{"literal", "v: |\n  a\n    b\n\n  mark c\n"},
		{"literal, stripped", "v: |-\n\n\n  a\n  mark\n\n\n"},
		{"literal, kept", "v: |+\n  mark\n\n\n"},
		{"literal with indentation indicator", "v: |2\n    a\n   mark\n"},
		{"literal with comment", "v: |2- # why\n    a\n   mark\n"},
		{"literal in a list", "v:\n- |\n  a\n  mark\n- - |1\n     mark\n"},
		{"literal without a last line break", "v: |\n  a\n  mark"},
		{"folded", "v: >\n  a\n  b\n\n  c\n    more\n\n      indented\n  d\n  mark\n"},
		{"folded, stripped", "v: >-\n  a\n\n\n  mark\n\n"},
		{"folded, kept", "v: >+\n  a\n  mark\n\n\n"},
		{"folded with indentation indicator", "v: >1\n   a\n b\n mark\n"},
		{"anchor", "w: &x\n  a: 1\nv: &y mark\n"},
		{"anchor on a line of its own", "v: &y # why\n  # and\n\n  mark\n"},
		{"alias", "w: &x a mark\nv: *x\n"},
		{"carriage returns", "w: 1\r\nv: |\r\n  a\r\n\r\n  mark\r\n"},
		{"carriage returns, folded", "v: >\r\n  a\r\n  b\r\n  mark\r\n"},
		{"carriage returns, quoted", "v: \"a\r\n  b\r\n\r\n  mark\"\r\n"},
		{"byte order mark", "\ufeffv: a mark\n"},
		{"key", "{mark: 1}\n"},
		{"tabs between words", "v: a\tb\t\tmark\n"},
		{"blank lines with spaces", "v: |\n  a\n      \n \n  mark\n"},
	}
	for _, test := range tests {
		root, problems := Parse(diag.NewSource("f", test.text), Limits{})
		if problems != nil {
			t.Errorf("%s: Parse: %s", test.name, diag.Style{}.RenderAll(problems))
			continue
		}
		found := false
		for _, n := range scalars(root) {
			if i := strings.Index(n.Value, "mark"); i >= 0 {
				found = true
				if got := n.At(i, i+4).Text(); got != "mark" {
					t.Errorf("%s: At(%d, %d) of %q = %q, want mark", test.name, i, i+4, n.Value, got)
				}
			}
			if problem := checkPositions(n); problem != "" {
				t.Errorf("%s: %s", test.name, problem)
			}
		}
		if !found {
			t.Errorf("%s: no value holds the word mark", test.name)
		}
	}
}

// checkPositions returns what is wrong with the position map of a scalar: each byte of the value must come from the
// same byte of the file, or from an escape or a line fold.
func checkPositions(n *Node) string {
	if len(n.positions.runs) == 0 {
		if strings.TrimSpace(n.Value) != "" {
			return fmt.Sprintf("%q in style %d has no positions", n.Value, n.Style)
		}
		return ""
	}
	text := n.Range.Source.Text()
	if n.positions.size() != len(n.Value) {
		return fmt.Sprintf("the positions of %q end at %d", n.Value, n.positions.size())
	}
	last := n.Range.Start
	for i := range len(n.Value) {
		r := n.At(i, i+1)
		if r.Start < last || n.Value[i] != '\n' && r.End > n.Range.End || r.Start >= r.End {
			return fmt.Sprintf("byte %d of %q is at %d..%d, in a scalar at %d..%d, after %d", i, n.Value, r.Start, r.End, n.Range.Start, n.Range.End, last)
		}
		last = r.Start
		same := text[r.Start] == n.Value[i] && r.End == r.Start+1
		switch c := text[r.Start]; {
		case same, strings.IndexByte(" \t\r\n", c) >= 0, c == '\\' && n.Style == DoubleQuoted, c == '\'' && n.Style == SingleQuoted:
		default:
			return fmt.Sprintf("byte %d of %q, %q, is said to come from %q", i, n.Value, n.Value[i], r.Text())
		}
	}
	return ""
}

func TestRanges(t *testing.T) {
	const text = "a: 'x''y' # c\nb: [1, \"]\", { c: d } ] # e\nf:\n  - |\n    g\n  - h i # j\nk:\nl: {m: n}\n"
	root, problems := Parse(diag.NewSource("f", text), Limits{})
	if problems != nil {
		t.Fatal(diag.Style{}.RenderAll(problems))
	}
	var got []string
	for _, p := range root.Pairs {
		got = append(got, p.Key.Range.Text()+" = "+p.Value.Range.Text())
	}
	want := []string{"a = 'x''y'", `b = [1, "]", { c: d } ]`, "f = -", "k = ", "l = {m: n}"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ranges (-want +got):\n%s", diff)
	}
	f, _ := root.Lookup("f")
	if got, want := f.Value.Items[0].Range.Text(), "|\n    g"; got != want {
		t.Errorf("range of a block = %q, want %q", got, want)
	}
	if cut, ok := f.Value.Items[1].Cut(); !ok || cut.Text() != "# j" {
		t.Errorf("Cut() = %q, %v, want # j", cut.Text(), ok)
	}
	if _, ok := root.Pairs[0].Value.Cut(); ok {
		t.Error("a quoted scalar is cut by a comment")
	}
}

func TestTypes(t *testing.T) {
	root, _ := Parse(diag.NewSource("f", `["1", 1, 1.5, true, yes, ~, null, "null", 2s, 2024-01-01]`), Limits{})
	var got []Type
	for _, n := range root.Items {
		got = append(got, n.Type)
	}
	want := []Type{String, Int, Float, Bool, String, Null, Null, String, String, String}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("types (-want +got):\n%s", diff)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"version: 1\nflows:\n  a:\n    expect:\n      - x.count == 1 # c\n",
		"v: \"a \\\n     b\\u00e9 \\x41\n\n  c\"\n", "v: 'it''s  \n\n   a'\n", "v: >2-\n    a\n   b\n\n  c\n", "- |+1\n  a\n\n - b\n",
		"- &a [1, *a]\n", "a: &x {b: [c]}\nd: *x\n<<: *x\n", "- !x.exists\n- a ? b : c\n", "\ufeffa: b\r\nc:\r d", "a: b\n---\nc: d\n",
		"[a, {b: c}, 'd', \"e\"]", "- - - a\n    b\n", "? [a]\n: b\n", "a: {b: c, b: d}\na: 1", "%YAML 1.2\n---\na", "a:\tb\n\tc: d",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		root, problems := Parse(diag.NewSource("f", text), Limits{Bytes: 4096, Nodes: 1000})
		diag.Style{}.RenderAll(problems.Sorted())
		if root == nil {
			if !problems.HasErrors() {
				t.Fatal("neither a tree nor an error")
			}
			return
		}
		if problems != nil {
			return
		}
		for _, n := range scalars(root) {
			if problem := checkPositions(n); problem != "" {
				t.Fatal(problem)
			}
		}
	})
}

func TestSubstitute(t *testing.T) {
	root, _ := Parse(diag.NewSource("f", `v: "a\t${x}\u00e9 ${y}z"`), Limits{})
	n := root.Pairs[0].Value.Substitute([]Edit{{2, 6, "four"}, {9, 13, ""}})
	if got, want := n.Value, "a\tfouré z"; got != want {
		t.Fatalf("value = %q, want %q", got, want)
	}
	for _, test := range []struct {
		start, end int
		want       string
	}{{0, 1, "a"}, {1, 2, `\t`}, {3, 5, "${x}"}, {2, 8, `${x}\u00e9`}, {6, 8, `\u00e9`}, {9, 10, "z"}} {
		if got := n.At(test.start, test.end).Text(); got != test.want {
			t.Errorf("At(%d, %d) = %q, want %q", test.start, test.end, got, test.want)
		}
	}
	if same := root.Pairs[0].Value.Substitute(nil); same != root.Pairs[0].Value {
		t.Error("no edits make a copy")
	}
}
