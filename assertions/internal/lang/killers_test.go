package lang

import (
	"runtime"
	"strings"
	"testing"

	"github.com/followspan/followspan/trace"
)

// Each of these must be refused, or answered, in bounded memory, and in steps that are
// counted: without that some would not end in time for go test.
var killers = map[string]string{
	"parentheses":        strings.Repeat("(", 1_000_000) + "1" + strings.Repeat(")", 1_000_000),
	"parentheses, small": strings.Repeat("(", 8000) + "1" + strings.Repeat(")", 8000),
	"brackets":           strings.Repeat("[", 101) + strings.Repeat("]", 101),
	"open brackets":      strings.Repeat("(", 16000),
	"nots":               strings.Repeat("not ", 4000) + "true",
	"minuses":            strings.Repeat("-", 16000) + "1",
	"lets":               strings.Repeat("let a = 1; ", 1400) + "a == 1",
	"ternaries":          strings.Repeat("true ? 1 : ", 1400) + "1",
	"nested ternaries":   strings.Repeat("(", 90) + "true" + strings.Repeat(" ?: 1)", 90),
	"nested chains":      strings.Repeat("1 < (", 90) + "1" + strings.Repeat(") < 2", 90),
	"powers":             strings.Repeat("2 ** ", 3000) + "2",
	"ands":               strings.Repeat("true and ", 1800) + "true",
	"dots":               "spans" + strings.Repeat(".first", 2600),
	"indexes":            "spans" + strings.Repeat("[0]", 5000),
	"comments":           strings.Repeat("/* ", 5000),
	"strings":            `"` + strings.Repeat(`\"`, 8000),
	"range":              "1..1000000000 == 1",
	"range of ranges":    "any(1..9999, any(1..9999, any(1..9999, it == 0)))",
	"loops":              "any(spans, any(spans, any(spans, .name == \"x\" and .duration > 5h)))",
	"loops in words":     "all(spans, any(spans, len(groupBy(spans, .name)) < 0))",
	"concatenation":      `let a = "0123456789abcdef"; let b = a+a+a+a; let c = b+b+b+b; let d = c+c+c+c; let e = d+d+d+d; let f = e+e+e+e; let g = f+f+f+f; g == "x"`,
	"join":               `join(map(1..9999, "0123456789abcdef0123456789abcdef"), "x") == "y"`,
	"regular expression": `"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!" matches "^(a+)+$"`,
	"big pattern":        `"a" matches "((a{100}){100}){100}"`,
	"long pattern":       `"a" matches "` + strings.Repeat("a?", 600) + `"`,
	"split":              `len(split("` + strings.Repeat("a", 10_000) + `", "")) == 1`,
	"json":               `json("` + strings.Repeat("[", 15_000) + `") == nil`,
	"unicode":            strings.Repeat("\U0001F600", 4000),
	"not UTF-8":          "name == \"\xff\xfe\"",
	"zero bytes":         "name\x00== \"a\"",
	"durations":          strings.Repeat("500ms + ", 1600) + "1s > 5s",
	"overflow":           "9223372036854775807s > 1s",
	"big number":         "99999999999999999999999999 > 1",
}

func TestKillers(t *testing.T) {
	f := worldFrame(t)
	many := make([]trace.Node, 0, 10_000)
	for i := range 10_000 {
		many = append(many, trace.Node(i%7))
	}
	f.Sets[0].Nodes = many
	for name, source := range killers {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		e, found := Compile(source, worldScope)
		if e == nil && len(found) == 0 {
			t.Errorf("%s: neither an expression nor a problem", name)
		}
		if e != nil {
			e.Value(f)
		}
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 2<<30 {
			t.Errorf("%s allocated %d MB", name, grown>>20)
		}
	}
}

func TestBudgetIsAnError(t *testing.T) {
	f := worldFrame(t)
	f.Sets[0].Nodes = make([]trace.Node, 10_000)
	e := MustCompile(killers["loops"], worldScope)
	v := e.Value(f)
	if d := v.Doubt(); v.Kind() != Unknown || d.Why != Failed || !strings.Contains(d.Text, "million steps") {
		t.Errorf("got %s, %v", f.Show(v), d)
	}
}

// FuzzCompile holds that no source makes Compile panic or say nothing, and that
// every place it names lies within the source.
func FuzzCompile(f *testing.F) {
	for _, row := range evaluations {
		f.Add(row.source)
	}
	for _, source := range killers {
		if len(source) < 1000 {
			f.Add(source)
		}
	}
	frame := worldFrame(f)
	scopes := []*Scope{worldScope, {Span: true}, {Span: true, Bare: true}, {Sets: []string{"spans"}, Trigger: true, Across: true}}
	f.Fuzz(func(t *testing.T, source string) {
		for i, s := range scopes {
			e, found := Compile(source, s)
			for _, p := range found {
				if p.From < 0 || p.To > len(source) || p.From > p.To || p.What == "" {
					t.Fatalf("%q: problem %+v", source, p)
				}
			}
			if e == nil && len(found) == 0 {
				t.Fatalf("%q: neither an expression nor a problem", source)
			}
			if e == nil {
				continue
			}
			e.Walk(func(x *Expr) bool {
				if x.From < 0 || x.To > len(source) || x.From > x.To || x.AtFrom < 0 || x.AtTo > len(source) {
					t.Fatalf("%q: part at %d..%d", source, x.From, x.To)
				}
				return true
			})
			if i == 0 && len(source) < 200 {
				v := e.Value(frame)
				if v.Kind() == Unknown && strings.Contains(v.Doubt().Text, "internal error") {
					t.Fatalf("%q: %s", source, v.Doubt().Text)
				}
			}
		}
	})
}
