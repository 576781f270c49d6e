package assertions

import (
	"fmt"
	"strings"
	"testing"

	"github.com/followspan/followspan/internal/diag"
	"github.com/google/go-cmp/cmp"
)

// describe writes an arrow with everything that was read, each part checked against its range.
func describe(a Arrow) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s", a.Caller.Name, a.Relation, a.Callee.Name)
	if a.Forbidden {
		b.WriteString(" forbidden")
	}
	if a.Operation != "" {
		fmt.Fprintf(&b, " op=%q", a.Operation)
	}
	if a.Within > 0 {
		fmt.Fprintf(&b, " within=%v", a.Within)
	}
	if !a.Count.Range.IsZero() {
		fmt.Fprintf(&b, " count=%d..%d", a.Count.Min, a.Count.Max)
	}
	for _, p := range a.Through {
		b.WriteString(" through=" + p.Name)
	}
	if a.As != "" {
		fmt.Fprintf(&b, " as=%s", a.As)
	}
	return b.String()
}

func TestParseArrows(t *testing.T) {
	tests := []struct{ line, want string }{
		{"checkout -> payment", "checkout -> payment"},
		{"checkout->payment", "checkout -> payment"},
		{"a => b", "a => b"},
		{"a ~> b", "a ~> b"},
		{"a !-> b", "a -> b forbidden"},
		{"a!=>b", "a => b forbidden"},
		{"a !~> b: orders", `a ~> b forbidden op="orders"`},
		{"my-service.v2 -> order-db", "my-service.v2 -> order-db"},
		{"my-service->order-db", "my-service -> order-db"},
		{`"my service" -> 'x->y'`, "my service -> x->y"},
		{"team/shop -> zahlung-größe", "team/shop -> zahlung-größe"},
		{"a -> b: GET /cart/{id}", `a -> b op="GET /cart/{id}"`},
		{"a -> b:Charge", `a -> b op="Charge"`},
		{"a -> b: pkg.Svc/Method within 1.5s", `a -> b op="pkg.Svc/Method" within=1.5s`},
		{"a -> b: Charge within 1s, exactly once", `a -> b op="Charge" within=1s count=1..1`},
		{"a -> b within 500ms", "a -> b within=500ms"},
		{"a -> b, within 500ms, at most 3, as calls", "a -> b within=500ms count=0..3 as=calls"},
		{"a -> b, at least 2", "a -> b count=2..-1"},
		{"a -> b: x , optional", `a -> b op="x" count=0..-1`},
		{"a -> b: x,exactly 0", `a -> b op="x" count=0..0`},
		{"a -> b: get a,b", `a -> b op="get a,b"`},
		{`a -> b: "x, y # z within 2s", exactly 4`, `a -> b op="x, y # z within 2s" count=4..4`},
		{"a => b, through [istio-proxy]", "a => b through=istio-proxy"},
		{"a => b: op within 1s, through [x, 'y z',], exactly once, as c", `a => b op="op" within=1s count=1..1 through=x through=y z as=c`},
		{"a !=> b,through [x]", "a => b forbidden through=x"},
		{"  a -> b # why", "a -> b"},
		{"a -> b: it's here # why", `a -> b op="it's here"`},
		{"a -> b: it's # the customer's", `a -> b op="it's"`},
		{`a->"b # c"`, "a -> b # c"},
		{"a -> b: c#d", `a -> b op="c#d"`},
		{"# nothing", ""},
		{" \t ", ""},
		{"a -> b\r", "a -> b"},
	}
	for _, test := range tests {
		src := diag.NewSource("f", test.line)
		arrows, problems := parseArrows(test.line, src.Range)
		got := diag.Style{}.RenderAll(problems)
		for _, a := range arrows {
			got += describe(a)
		}
		if got != test.want {
			t.Errorf("parseArrows(%q) = %s, want %s", test.line, got, test.want)
		}
	}
}

func TestArrowRanges(t *testing.T) {
	const text = "\n# why\n  \"a b\"  !-> c : op x\n d ~> e: f within 2s, exactly once, as g # h\n"
	arrows, problems := parseArrows(text, diag.NewSource("f", text).Range)
	if problems != nil {
		t.Fatal(diag.Style{}.RenderAll(problems))
	}
	var got []string
	for _, a := range arrows {
		for _, r := range []diag.Range{a.Range, a.Caller.Range, a.ArrowRange, a.Callee.Range, a.OperationRange, a.WithinRange, a.Count.Range, a.AsRange} {
			got = append(got, r.Text())
		}
	}
	want := []string{`"a b"  !-> c : op x`, `"a b"`, "!->", "c", "op x", "", "", "",
		"d ~> e: f within 2s, exactly once, as g", "d", "~>", "e", "f", "within 2s", "exactly once", "as g"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ranges (-want +got):\n%s", diff)
	}
}

// Each line has one mistake, which is said to be at the marked place.
func TestArrowMistakes(t *testing.T) {
	tests := []struct{ line, what, try string }{
		{"checkout «-->» payment", "unknown arrow", "->"},
		{"checkout«-->»payment", "unknown arrow", "->"},
		{"checkout «>» payment", "unknown arrow", "->"},
		{"checkout «->>» payment", "unknown arrow", "->"},
		{"checkout «→» payment", "unknown arrow", "->"},
		{"checkout «==>» payment", "unknown arrow", "=>"},
		{"checkout «~~>» payment", "unknown arrow", "~>"},
		{"checkout «! ->» payment", "unknown arrow", "!->"},
		{"checkout «<-» payment", "unknown arrow", "arrows point to the right: caller -> callee"},
		{"checkout «-» payment", "unknown arrow", "->"},
		{"checkout ->«»", "an arrow without callee", arrowExample},
		{"checkout -> «:» Charge", "an arrow without callee", arrowExample},
		{"«->» payment", "an arrow without caller", arrowExample},
		{"checkout«»", "a line without arrow", arrowExample},
		{"my «service» -> payment", "a line without arrow", arrowExample},
		{"checkout -> «[a, b]»", "a list of callees", "one line for each callee"},
		{"a -> b «-> c»", "several arrows in one line", "in YAML, start the block with | to keep its lines apart"},
		{"a -> b «c -> d»", "several arrows in one line", "in YAML, start the block with | to keep its lines apart"},
		{"a -> b «Charge»", "text after the callee", ": Charge if it is the operation"},
		{"a -> b «exactly once»", "a comma is missing", ", exactly once"},
		{"a -> b: Charge «exactly once»", "a comma is missing", "Charge, exactly once"},
		{"a -> b: Charge «at most 3» within 1s", "a comma is missing", "Charge, at most 3"},
		{"a -> b«:»", "an arrow with an empty operation", "leave the colon out to mean any operation"},
		{"a -> b, «exactly twice»", "unknown count", "exactly 2"},
		{"a -> b, «exactly»", "unknown count", "exactly 1"},
		{"a -> b, «at most -1»", "unknown count", "exactly 1"},
		{"a -> b, «twice»", "unknown condition of an arrow", "exactly 2"},
		{"a -> b, «3 times»", "unknown condition of an arrow", "exactly 3"},
		{"a -> b, «max 3»", "unknown condition of an arrow", "at most 3"},
		{"a -> b, «exacty 3»", "unknown condition of an arrow", "exactly 3"},
		{"a -> b: x, «y»", "unknown condition of an arrow", "quote the operation if this is a part of it"},
		{"a -> b within «2»", "within needs a time", "within 2s"},
		{"a -> b: x within «2 seconds»", "within needs a time", "within 2s"},
		{"a -> b within«»", "within needs a time", "within 2s"},
		{"a -> b, as «my-set»", "as needs a name", "as my_set"},
		{"a -> b, exactly 1, «at most 3»", "an arrow with two counts", ""},
		{"a -> b within 1s, «within 2s»", "an arrow with two times", ""},
		{"a !-> b, «exactly 2»", "a forbidden call with a condition", ""},
		{"a -> b«,»", "a comma too many", ""},
		{"«\"a -> b»", "a quote that is not closed", ""},
		{"«\"\"» -> b", "an empty name", ""},
	}
	for _, test := range tests {
		before, rest, _ := strings.Cut(test.line, "«")
		marked, after, _ := strings.Cut(rest, "»")
		line := before + marked + after
		_, problems := parseArrows(line, diag.NewSource("f", line).Range)
		if len(problems) != 1 {
			t.Errorf("%s: %d problems, want 1:\n%s", test.line, len(problems), diag.Style{}.RenderAll(problems))
			continue
		}
		d := problems[0]
		if d.What != test.what || d.Range.Start != len(before) || d.Range.Text() != marked {
			t.Errorf("%s: got %q at %d %q, want %q", test.line, d.What, d.Range.Start, d.Range.Text(), test.what)
		}
		if test.try != "" && (len(d.Try) == 0 || d.Try[0] != test.try) {
			t.Errorf("%s: try %q, want %q", test.line, d.Try, test.try)
		}
	}
}

func TestEveryArrowMistakeIsReported(t *testing.T) {
	const text = "a --> b\nc -> d\ne -> \n"
	arrows, problems := parseArrows(text, diag.NewSource("f", text).Range)
	if len(arrows) != 1 || len(problems) != 2 {
		t.Errorf("%d arrows and %d problems, want 1 and 2", len(arrows), len(problems))
	}
}

func TestParseOnly(t *testing.T) {
	tests := []struct{ line, want, problem string }{
		{"checkout -> [inventory, payment, 'my mail']", "checkout: inventory payment my mail", ""},
		{"a->[b]  # why", "a: b", ""},
		{"a -> []", "a:", ""},
		{"a -> [b, c,]", "a: b c", ""},
		{"a -> b", "", "only without a list"},
		{"a => [b]", "", "unknown arrow"},
		{"a -> [b c]", "", "a list that is not closed"},
		{"a -> [b", "", "a list that is not closed"},
		{"a -> [b] c", "", "text after the list"},
		{"a -> [,]", "", "an arrow without callee"},
	}
	for _, test := range tests {
		decls, problems := parseOnly(test.line, diag.NewSource("f", test.line).Range)
		got := ""
		for _, d := range decls {
			got += d.Caller.Name + ":"
			for _, p := range d.Callees {
				got += " " + p.Name
			}
		}
		problem := ""
		if problems != nil {
			problem = problems[0].What
		}
		if got != test.want || problem != test.problem {
			t.Errorf("parseOnly(%q) = %q, %q, want %q, %q", test.line, got, problem, test.want, test.problem)
		}
	}
}

func FuzzArrows(f *testing.F) {
	f.Add("checkout -> payment: Charge within 1s, exactly once, as charge # c\n\"a b\" !~> 'c'\n")
	f.Add("a => b, through [x, 'y z',], at most 2\na !=> b,through[\na -> b, through [c] d\n")
	f.Add("a --> b\na → b\na -> b, exactly twice\nc -> [d, e]\n-\n\"")
	f.Fuzz(func(t *testing.T, text string) {
		src := diag.NewSource("f", text)
		at := func(start, end int) diag.Range {
			if start < 0 || start > end || end > len(text) {
				t.Fatalf("range %d..%d of %d bytes", start, end, len(text))
			}
			return src.Range(start, end)
		}
		arrows, problems := parseArrows(text, at)
		for _, a := range arrows {
			if a.Caller.Name == "" || a.Callee.Name == "" || a.Relation == RelationUnknown {
				t.Fatalf("incomplete arrow %s", describe(a))
			}
			if strings.Trim(a.Callee.Range.Text(), `"'`) != a.Callee.Name && !strings.ContainsAny(a.Callee.Name, `"'`) {
				t.Fatalf("callee %q is at %q", a.Callee.Name, a.Callee.Range.Text())
			}
		}
		if lines := strings.Count(text, "\n") + 1; len(arrows)+len(problems) > lines {
			t.Fatalf("%d arrows and %d problems in %d lines", len(arrows), len(problems), lines)
		}
		parseOnly(text, at)
	})
}
