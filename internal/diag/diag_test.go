package diag

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPositions(t *testing.T) {
	text := "\ufeffab\r\ncé d\n\re\n"
	s := NewSource("f", text)
	if got, want := s.Lines(), 5; got != want {
		t.Errorf("Lines() = %d, want %d", got, want)
	}
	tests := []struct {
		offset int
		want   Position
	}{
		{0, Position{1, 1}}, {3, Position{1, 1}}, {4, Position{1, 2}}, {7, Position{2, 1}}, {8, Position{2, 2}}, {10, Position{2, 3}},
		{13, Position{3, 1}}, {14, Position{4, 1}}, {16, Position{5, 1}}, {-5, Position{1, 1}}, {99, Position{5, 1}},
	}
	for _, test := range tests {
		got := s.Position(test.offset)
		if got != test.want {
			t.Errorf("Position(%d) = %v, want %v", test.offset, got, test.want)
		}
		if back := s.Offset(got); test.offset >= 3 && test.offset < len(text) && back != test.offset {
			t.Errorf("Offset(%v) = %d, want %d", got, back, test.offset)
		}
	}
	if got := s.Offset(Position{2, 99}); got != 12 {
		t.Errorf("Offset past the line = %d, want 12", got)
	}
	if got, want := s.Line(2), "cé d"; got != want {
		t.Errorf("Line(2) = %q, want %q", got, want)
	}
	if got := s.Line(0) + s.Line(6); got != "" {
		t.Errorf("lines outside the text = %q, want none", got)
	}
}

func TestRangeString(t *testing.T) {
	s := NewSource("f.yaml", "ab\ncd")
	for _, test := range []struct {
		r    Range
		want string
	}{{Range{}, ""}, {s.Whole(), "f.yaml"}, {s.Range(4, 5), "f.yaml:2:2"}} {
		if got := test.r.String(); got != test.want {
			t.Errorf("%#v.String() = %q, want %q", test.r, got, test.want)
		}
	}
	if got := s.Range(4, 99).Text(); got != "d" {
		t.Errorf("Text() of a range cut at the end = %q, want d", got)
	}
}

func TestSortedOrdersAndDropsRepeats(t *testing.T) {
	a, b := NewSource("a", "xyz"), NewSource("b", "xyz")
	got := List{
		{What: "4", Range: b.Range(0, 1)}, {What: "3", Range: a.Range(2, 3)}, {What: "1", Range: a.Whole()},
		{What: "2", Range: a.Range(0, 1)}, {What: "3", Range: a.Range(2, 3)}, {What: "0"}, {What: "5", Range: b.Range(0, 1)},
	}.Sorted()
	words := ""
	for _, d := range got {
		words += d.What
	}
	if diff := cmp.Diff("012345", words); diff != "" {
		t.Errorf("Sorted (-want +got):\n%s", diff)
	}
}

func TestHasErrors(t *testing.T) {
	if (List{{Severity: Warning}, {Severity: Note}}).HasErrors() {
		t.Error("a warning and a note are errors")
	}
	if !(List{{Severity: Warning}, {Severity: Error}}).HasErrors() {
		t.Error("an error is not an error")
	}
}

func TestLimit(t *testing.T) {
	s := NewSource("f", "abc")
	all := List{{Severity: Error, What: "a", Range: s.Range(0, 1)}, {Severity: Error, What: "b", Range: s.Range(1, 2)}, {Severity: Error, What: "c"}}
	if got := all.Limit(3); len(got) != 3 {
		t.Errorf("Limit(3) of 3 has %d", len(got))
	}
	got := all.Limit(1)
	if want := "error: a\n --> f:1:1\n  |\n1 | abc\n  | ^\n\nnote: 2 more problems are not shown\n --> f\n"; (Style{}).RenderAll(got) != want {
		t.Errorf("Limit(1) = %s", Style{}.RenderAll(got))
	}
	if last := all.Limit(2)[2]; !last.Range.IsZero() {
		t.Errorf("Limit(2) ends at %v, want nowhere", last.Range)
	}
}

func TestSuggest(t *testing.T) {
	candidates := []string{"service", "status", "start", "spans", "end", "a"}
	for _, test := range []struct{ why, name, want string }{
		{"one letter missing", "servce", "service"},
		{"two letters swapped", "sevrice", "service"},
		{"two slips in a long word", "servcie", "service"},
		{"three slips", "srvxxce", ""},
		{"one slip in a short word", "stat", "start"},
		{"two slips in a short word", "spaan", ""},
		{"case only", "STATUS", "status"},
		{"too short to guess", "b", ""},
		{"the same word is no suggestion", "end", ""},
		{"nothing near", "duration", ""},
	} {
		got, ok := Suggest(test.name, candidates)
		if got != test.want || ok != (test.want != "") {
			t.Errorf("%s: Suggest(%q) = %q, %v, want %q", test.why, test.name, got, ok, test.want)
		}
	}
}

func TestDistanceCountsSwapsAsOne(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{{"", "ab", 2}, {"ab", "ba", 1}, {"abcd", "acbd", 1}, {"kitten", "sitting", 3}, {"same", "same", 0}} {
		if got := distance([]rune(test.a), []rune(test.b), 9); got != test.want {
			t.Errorf("distance(%q, %q) = %d, want %d", test.a, test.b, got, test.want)
		}
	}
}

func FuzzRender(f *testing.F) {
	f.Add("a\tb\r\n名前 x", 1, 8, "label\nmore", 20)
	f.Add("", 0, 0, "", 0)
	f.Add("\ufeffa\x1b\xff", 2, 6, "x", 3)
	f.Fuzz(func(t *testing.T, text string, start, end int, label string, columns int) {
		r := NewSource("f", text).Range(start, end)
		for _, st := range []Style{{Columns: columns}, {ASCII: true, Color: true}} {
			st.Render(Diagnostic{Severity: Error, What: label, Range: r, Label: label, Also: []Mark{{r, label}}})
			st.Values(Mark{r, label}, []Value{{start, label}, {end, label}})
		}
	})
}
