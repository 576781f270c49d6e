package diag

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// find is the range of the text between « and » in marked, in a source without these marks.
func find(name, marked string) Range {
	before, rest, _ := strings.Cut(marked, "«")
	inside, after, _ := strings.Cut(rest, "»")
	return NewSource(name, before+inside+after).Range(len(before), len(before)+len(inside))
}

func (r Range) find(text string) Range {
	i := strings.Index(r.Source.text, text)
	return r.Source.Range(i, i+len(text))
}

func TestRender(t *testing.T) {
	const pad = "\n\n\n\n\n\n\n\n\n\n\n\n\n"
	spans := find("checkout.flow.yaml", pad+"      - all(payment, «.duraton» < 200ms)\n")
	twice := find("a.yaml", "spans:\n  a: x\n\n\n\n\n\n\n\n\n  «a»: y\n")
	tests := []struct {
		name  string
		style Style
		diag  Diagnostic
	}{
		{"label and hint", Style{}, Diagnostic{Severity: Error, What: "unknown field on span", Range: spans,
			Label: `spans have no field "duraton"`, Try: []string{".duration"}}},
		{"colour repeats the text", Style{Color: true}, Diagnostic{Severity: Error, What: "unknown field on span", Range: spans,
			Label: `spans have no field "duraton"`, Try: []string{".duration"}}},
		{"no range", Style{}, Diagnostic{Severity: Error, What: "no flow files", Label: "nothing matches *.flow.yaml", Try: []string{"followspan init"}}},
		{"missing file", Style{}, Diagnostic{Severity: Error, What: "file not found", Range: NewSource("shop.flow.yaml", "").Whole(),
			Label: "no such file in /srv"}},
		{"warning without label", Style{}, Diagnostic{Severity: Warning, What: "raw comparison across services", Range: spans}},
		{"notes and several hints", Style{}, Diagnostic{Severity: Note, What: "seen", Range: spans,
			Notes: []string{"one sentence.", "another,\nover two lines."}, Try: []string{"this", "that:\n  indented"}}},
		{"label of two lines", Style{}, Diagnostic{Severity: Error, What: "what", Range: spans, Label: "first\nsecond"}},
		{"another place of the same file", Style{}, Diagnostic{Severity: Error, What: "the set \"a\" is declared twice", Range: twice,
			Label: "again here", Also: []Mark{{twice.find("a: x"), "first here"}}}},
		{"another place of the same line", Style{}, Diagnostic{Severity: Error, What: "cannot compare", Range: spans.find("<"),
			Also: []Mark{{spans.find(".duraton"), "a duration"}, {spans.find("200ms"), "a number"}}}},
		{"another file", Style{}, Diagnostic{Severity: Error, What: "two systems", Range: find("b.yaml", "«system»: x"),
			Also: []Mark{{find("a.yaml", "\n«system»: y"), "this one differs"}}}},
		{"tabs before and inside", Style{}, Diagnostic{Severity: Error, What: "tabs", Range: find("t", "\ta\t«bc»\td"), Label: "here"}},
		{"wide runes", Style{}, Diagnostic{Severity: Error, What: "wide", Range: find("w", "名前 == «\"東京🚀\"» and x"), Label: "here"}},
		{"combining marks", Style{}, Diagnostic{Severity: Error, What: "combining", Range: find("c", "e\u0301a\u0308 «o\u0302k» x"), Label: "here"}},
		{"own rune width", Style{RuneWidth: func(rune) int { return 1 }}, Diagnostic{Severity: Error, What: "wide", Range: find("w", "名前 «x»"), Label: "here"}},
		{"ASCII only", Style{ASCII: true}, Diagnostic{Severity: Error, What: "checkout → payment …", Range: find("w", "名é → «x»"), Label: "≤ 5µs · é"}},
		{"two lines", Style{}, Diagnostic{Severity: Error, What: "lines", Range: find("l", "a:\n  - all(x,\n      «y and\n      z»)\n"), Label: "both"}},
		{"many lines", Style{}, Diagnostic{Severity: Error, What: "lines", Range: find("l", "«a\n b\n\n c\n d\n e\n f\n g\n h\n i» j"), Label: "all"}},
		{"whole line with its break", Style{}, Diagnostic{Severity: Error, What: "line", Range: find("l", "a\n«b c\n»d"), Label: "here"}},
		{"empty range at the end", Style{}, Diagnostic{Severity: Error, What: "end", Range: find("l", "spans:\n  a: («»"), Label: "expected )"}},
		{"empty range on an empty last line", Style{}, Diagnostic{Severity: Error, What: "end", Range: find("l", "spans:\n«»"), Label: "expected more"}},
		{"carriage returns", Style{}, Diagnostic{Severity: Error, What: "cr", Range: find("l", "a\r\nb «c»\r\nd\re"), Label: "here"}},
		{"byte order mark", Style{}, Diagnostic{Severity: Error, What: "bom", Range: find("l", "\ufeff«a» b"), Label: "here"}},
		{"control runes", Style{}, Diagnostic{Severity: Error, What: "esc \x1b[31m", Range: find("l", "a\x1b[2J\u202e «b»"), Label: "not \x1b[31m red \u202e"}},
		{"long line, end", Style{Columns: 40}, Diagnostic{Severity: Error, What: "long", Range: find("l", strings.Repeat("abcdefghij", 20)+" «here»"), Label: "there"}},
		{"long line, middle", Style{Columns: 40}, Diagnostic{Severity: Error, What: "long", Range: find("l", strings.Repeat("abcdefghij", 9)+" «here» "+strings.Repeat("x", 99)), Label: "there"}},
		{"long line, start", Style{Columns: 40, ASCII: true}, Diagnostic{Severity: Error, What: "long", Range: find("l", "«abc"+strings.Repeat("x", 99)+"»"), Label: "there"}},
		{"long line of wide runes", Style{Columns: 20}, Diagnostic{Severity: Error, What: "long", Range: find("l", strings.Repeat("東", 50)+"«京»"+strings.Repeat("東", 50)), Label: "there"}},
		{"long line of words, a range over two rows", Style{Columns: 40}, Diagnostic{Severity: Error, What: "long",
			Range: find("l", "      - all(sent, {let p = it; any(«consumed, .id == p.id and .status != \"error\"»)})"), Label: "there"}},
		{"long line of words, a range of the last row", Style{Columns: 40}, Diagnostic{Severity: Error, What: "long",
			Range: find("l", "      - all(sent, {let p = it; any(consumed, .id == p.id and «.status != \"error\"»)})"), Label: "there"}},
		{"long line of words, the break at the range's end", Style{Columns: 40}, Diagnostic{Severity: Error, What: "long",
			Range: find("l", "      - all(sent, «{let p = it; » any(consumed, .id == p.id and .status != 3)})"), Label: "there"}},
		{"very long line", Style{Columns: 40}, Diagnostic{Severity: Error, What: "long", Range: find("l", strings.Repeat("é", 50_000)+"«here»"+strings.Repeat("x", 50_000)), Label: "there"}},
	}
	var b strings.Builder
	for _, test := range tests {
		b.WriteString("=== " + test.name + "\n" + test.style.Render(test.diag) + "\n")
	}
	golden(t, "render.txt", b.String())
}

func TestRenderAllSeparates(t *testing.T) {
	s := NewSource("f", "ab")
	got := Style{}.RenderAll(List{{Severity: Error, What: "two", Range: s.Range(1, 2)}, {Severity: Error, What: "one", Range: s.Range(0, 1)}}.Sorted())
	want := "error: one\n --> f:1:1\n  |\n1 | ab\n  | ^\n\nerror: two\n --> f:1:2\n  |\n1 | ab\n  |  ^\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("RenderAll (-want +got):\n%s", diff)
	}
}

func TestSnippet(t *testing.T) {
	r := find("f", "\n\n\n- all(payment, «.duration < 200ms»)")
	var b strings.Builder
	b.WriteString(Style{}.Snippet(Mark{r.find("all"), "1 of 3 spans does not satisfy this"}, Mark{r, "this"}))
	b.WriteString("---\n" + Style{}.Snippet(Mark{}, Mark{r, "only this"}))
	b.WriteString("---\n" + Style{}.Snippet(Mark{Range: r.Source.Whole()}))
	golden(t, "snippet.txt", b.String())
}

func TestValues(t *testing.T) {
	gaps := find("f", "  - «stripe.count <= 4 and all(stripe.gaps, it >= 100ms)»")
	at := func(r Range, text, value string) Value { return Value{r.find(text).Start, value} }
	two := find("f", "  - that: |\n      «first.count == 1\n      and second.count == 名前.count»\n")
	tests := []struct {
		name   string
		style  Style
		mark   Mark
		values []Value
	}{
		{"side by side", Style{}, Mark{Range: gaps}, []Value{at(gaps, "count", "5"), at(gaps, "<=", "false"), at(gaps, "gaps", "[30ms, 212ms]")}},
		{"colliding", Style{}, Mark{Range: gaps}, []Value{at(gaps, "stripe.count", "{5 spans of stripe}"), at(gaps, "count", "5"),
			at(gaps, "<=", "false"), at(gaps, "and", "false"), at(gaps, "all", "not evaluated")}},
		{"several at one place", Style{}, Mark{Range: gaps}, []Value{at(gaps, "count", "5"), at(gaps, "count", "five"), at(gaps, "stripe", "a set")}},
		{"with carets", Style{}, Mark{gaps.find("<="), "5 is more than 4"}, []Value{at(gaps, "count", "5")}},
		{"two lines, wide runes", Style{}, Mark{Range: two}, []Value{at(two, "first.count", "2"), at(two, "second", "1"),
			at(two, "==\n", "unused"), at(two, "名前.count", "東京"), {two.find("名前").Start + len("名前."), "3"}}},
		{"ASCII and line breaks", Style{ASCII: true}, Mark{Range: two}, []Value{at(two, "first", "a → b\nc")}},
		{"nowhere", Style{}, Mark{}, []Value{{3, "x"}}},
	}
	var b strings.Builder
	for _, test := range tests {
		b.WriteString("=== " + test.name + "\n" + test.style.Values(test.mark, test.values) + "\n")
	}
	golden(t, "values.txt", b.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}
