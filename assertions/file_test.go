package assertions

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/trace"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// words stand for the vocabulary, which the loader does not know.
var words = []string{"spans", "origin", "count", "all", "any"}

// environment is what the corpus finds in its environment.
func environment(name string) (string, bool) {
	value, ok := map[string]string{"HOME": "/home/alice", "EMPTY": "", "NOT_A_TIME": "soon"}[name]
	return value, ok
}

func parseFile(t *testing.T, path string, params map[string]string) (*File, diag.List) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return ParseFile(diag.NewSource(filepath.Base(path), string(text)),
		FileOptions{Dir: "shop", Reserved: words, Getenv: environment, Params: params})
}

func corpus(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("glob %s: %v, %d files", pattern, err, len(paths))
	}
	return paths
}

func TestGoodFilesLoad(t *testing.T) {
	for _, path := range corpus(t, "ok/*.yaml") {
		if _, problems := parseFile(t, path, nil); problems != nil {
			t.Errorf("%s:\n%s", path, diag.Style{}.RenderAll(problems))
		}
	}
}

func TestBadFilesSayWhy(t *testing.T) {
	for _, path := range corpus(t, "err/*.yaml") {
		_, problems := parseFile(t, path, map[string]string{"limit": "soon"})
		if !problems.HasErrors() {
			t.Errorf("%s: no error", path)
		}
		got := diag.Style{}.RenderAll(problems)
		golden := strings.TrimSuffix(path, ".yaml") + ".out"
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", golden, diff)
		}
	}
}

func TestEveryKeyIsInTheModel(t *testing.T) {
	f, problems := parseFile(t, "testdata/ok/every-key.flow.yaml", map[string]string{"items": "4", "allowed": "[a, b]"})
	if problems != nil {
		t.Fatal(diag.Style{}.RenderAll(problems))
	}
	params := map[string]any{}
	for _, p := range f.Params {
		params[p.Name] = p.Value
	}
	equal(t, "params", params, map[string]any{"max_checkout": time.Second, "fault": "none", "share": 0.4, "items": 4, "strict": false,
		"allowed": []any{"a", "b"}, "base": "http://127.0.0.1:1", "mail": 2 * time.Second, "zip": "01234"})

	equal(t, "system command", texts(f.System.Command.Argv), []string{"go", "run", "./system", "--fault", "none"})
	equal(t, "system env", variables(f.System.Command.Env), "FAULT=none EMPTY= HOME=/home/alice PRICE=${x}")
	equal(t, "system stop", f.System.Stop, 10*time.Second)
	equal(t, "path", f.Path(f.System.Command.Dir.String()), "shop/shop")

	c := f.Flows[0]
	equal(t, "description", c.Description, "A customer buys something and gets a mail.")
	equal(t, "runs", []int{c.Runs.Min, c.Runs.Max}, []int{2, 2})
	equal(t, "timing", c.Timing, trace.Timing{Deadline: 20 * time.Second, Quiet: time.Second, ClockSkew: 5 * time.Millisecond})
	equal(t, "stitch", c.Stitch, Stitch{Keys: []string{"cart.id", "order.id"}, Scope: trace.ScopeSubtree, Hops: 5, Silent: []string{"bank.example", "audit:9092"}})
	equal(t, "quoted set", f.Spans[1].Spans.Text, `service == "it's"`)

	captured := map[string]string{"frontend": "http://f", "admin": "a<b>"}
	http := c.Trigger.HTTP
	equal(t, "url", http.URL.Expand(captured), "http://f/checkout?items=4")
	equal(t, "open url", http.URL.String(), "${frontend}/checkout?items=4")
	equal(t, "headers", http.Headers[1].Value.Expand(captured), "a<b>")
	equal(t, "json", string(http.JSON.Encode(captured)),
		`{"items":[1,2.5,true,null,"two","http://f"],"count":4,"text":"4","hex":16,"note":"it's none"}`)

	var calls []string
	for _, a := range c.Calls {
		calls = append(calls, describe(a))
	}
	equal(t, "calls", calls, []string{`checkout -> inventory op="Reserve" within=200ms count=1..-1`,
		`checkout => payment op="Charge, twice" count=1..1 as=charge`, "checkout -> legacy forbidden", `checkout ~> email op="orders" within=2s count=0..-1`})
	equal(t, "sequence", len(c.Sequence), 2)
	equal(t, "only", len(c.Only[0].Callees), 3)

	a := c.Expect[4]
	equal(t, "assertion", []any{a.Name, a.That.Text, a.When.Text, a.Because, a.Severity, a.Within},
		[]any{"payment is fast", "longest(payment) < max_checkout", "payment.exists", "customers leave", SeverityWarn, 3 * time.Second})
	equal(t, "param in a string of an expression", c.Expect[5].That.Text, `any(payment, .name == "none")`)
	equal(t, "sets of each", []string{c.Each[0].Set, c.Each[1].Set, c.Each[2].Set}, []string{"payment", "charge", ""})
	equal(t, "across", c.Across.Runs, 2)

	equal(t, "method of a request without body", f.Flows[1].Trigger.Command.Argv[1].Expand(captured), "http://f")
	equal(t, "shell", f.Flows[2].Trigger.Command.Shell.Expand(captured), "curl -s http://f/ | grep ok")
	equal(t, "per value", []any{f.Flows[4].Per.Kind, f.Flows[4].Per.Expr.Text}, []any{PerValue, "bullmq.job.id"})
	equal(t, "per of a flow without origin", f.Flows[5].Per.Kind, PerTrace)
	equal(t, "per of an invariant", f.Invariants.Expect[0].Per.Kind, PerSession)
}

func texts(templates []Template) []string {
	var all []string
	for _, t := range templates {
		all = append(all, t.String())
	}
	return all
}

func variables(vs []Variable) string {
	var all []string
	for _, v := range vs {
		all = append(all, v.Name+"="+v.Value.String())
	}
	return strings.Join(all, " ")
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestExpressionPositions(t *testing.T) {
	const text = "version: 1\nparams: {who: \"é\\\"x\"}\nflows:\n  a:\n    expect:\n      - \"x.name == \\\"名\\\" and y.exists\"\n      - any(x, .a == \"${who}\" and y)\n"
	f, problems := ParseFile(diag.NewSource("f", text), FileOptions{})
	if problems != nil {
		t.Fatal(diag.Style{}.RenderAll(problems))
	}
	first, second := f.Flows[0].Expect[0].That, f.Flows[0].Expect[1].That
	i := strings.Index(first.Text, "y.exists")
	equal(t, "bytes", first.At(i, i+1).String(), "f:6:30")
	equal(t, "runes", first.AtRunes(18, 26).Text(), "y.exists")
	equal(t, "escape", first.At(strings.Index(first.Text, "名")-1, i-5).Text(), `\"名\"`)
	equal(t, "text with a param", second.Text, `any(x, .a == "é\"x" and y)`)
	i = strings.Index(second.Text, " and y")
	equal(t, "behind a param", second.At(i+1, i+4).Text(), "and")
	equal(t, "inside a param", second.At(i-4, i-3).Text(), "${who}")
	equal(t, "no expression", Expr{}.At(0, 1), diag.Range{})
}

func TestCheckRun(t *testing.T) {
	parse := func(name, text string) *File {
		f, problems := ParseFile(diag.NewSource(name, "version: 1\n"+text), FileOptions{Dir: "d"})
		if problems != nil {
			t.Fatal(diag.Style{}.RenderAll(problems))
		}
		return f
	}
	const system = "params: {fault: none}\nsystem: {command: [./s], env: {A: b, C: \"${fault}\"}, ready: {output: 'at (?P<url>.*)'}}\nflows: {a: {runs: any}}\n"
	one := parse("one.yaml", system)
	same := parse("same.yaml", "flows: {b: {runs: any}}\nsystem: {env: {C: none, A: \"b\"}, command: ['./s'], dir: ., ready: {output: 'at (?P<url>.*)'}}\n")
	other := parse("other.yaml", strings.Replace(system, "./s", "./t", 1))
	client := parse("client.yaml", "flows: {c: {trigger: {http: {url: \"${url}/${urll}\"}}}}\n")

	equal(t, "identical systems", diag.Style{}.RenderAll(CheckRun([]*File{one, same}, map[string]string{"fault": "x"})), "")
	equal(t, "differences", diag.Style{}.RenderAll(CheckRun([]*File{one, client, other}, map[string]string{"falt": "x"})), strings.TrimLeft(`
error: --param falt: no flow file declares this param
  = the params are fault
  = try: --param fault=x

error: unknown param
 --> client.yaml:2:43
  |
2 | flows: {c: {trigger: {http: {url: "${url}/${urll}"}}}}
  |                                           ^^^^^^^ neither a param nor in the environment, and no system captures it
  = try: ${url}
  = or: ${urll:-default}
  = or: declare it: params: {urll: value}

error: two different systems in one run
 --> other.yaml:3:1
  |
3 | system: {command: [./t], env: {A: b, C: "${fault}"}, ready: {output: 'at (?P<url>.*)'}}
  | ^^^^^^ this one differs
 ::: one.yaml:3:1
  |
3 | system: {command: [./s], env: {A: b, C: "${fault}"}, ready: {output: 'at (?P<url>.*)'}}
  | ------ from this one
  = try: run the files one after the other
  = or: keep the system in one of them
`, "\n"))
	equal(t, "no params", CheckRun([]*File{client}, map[string]string{"x": "1"})[0].Label, "no params are declared")
}

// Texts so long that work which is quadratic in them would not end in time for go test.
func TestTooMuch(t *testing.T) {
	double := "version: 1\nparams:\n  p0: " + strings.Repeat("x", 1000) + "\n"
	laughs := "version: 1\na0: &a0 [x, x]\n"
	for i := range 40 {
		double += fmt.Sprintf("  p%d: \"${p%d}${p%d}\"\n", i+1, i, i)
		laughs += fmt.Sprintf("a%d: &a%d [*a%d, *a%d, *a%d]\n", i+1, i+1, i, i, i)
	}
	for _, test := range []struct{ name, text, what string }{
		{"size", "version: 1\n" + strings.Repeat("# comment\n", 200_000), "file too big"},
		{"depth in brackets", "version: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000), "nested too deeply"},
		{"more depth than the library takes", "version: " + strings.Repeat("[", 50_000), "nested too deeply"},
		{"depth in lists", "version: 1\nflows:\n" + strings.Repeat("- ", 5000) + "x\n", "nested too deeply"},
		{"aliases", laughs, "too many values in the file"},
		{"values", "a: [" + strings.Repeat("1,", 120_000) + "1]", "too many values in the file"},
		{"long text through aliases", "a: &a " + strings.Repeat("x", 100_000) + "\nb: [" + strings.Repeat("*a ,", 100) + "]", "too many values in the file"},
		{"params", double, "the params make the file too big"},
		{"references in an expression", "version: 1\nparams: {a: b}\nflows: {f: {origin: '\"" + strings.Repeat("${a}", 100_000) + "\"'}}\n", ""},
		{"comments", "version: 1\nflows: {f: {runs: any}}\n" + strings.Repeat("#\n", 400_000), ""},
		{"keys", "version: 1\nflows: {f: {runs: any}}\n" + strings.Repeat("? ", 5000), "nested too deeply"},
		{"quotes", "version: 1\nflows: {f: {runs: any}}\na: " + strings.Repeat("' ", 400_000), ""},
		{"unclosed brackets on many lines", "version: 1\nflows:\n" + strings.Repeat("  - [a,\n", 60_000), ""},
		{"anchors", "version: 1\nflows: " + strings.Repeat("&a ", 300_000) + "\n", ""},
		{"spaces", "version: 1\nflows: |\n" + strings.Repeat(" ", 900_000) + "\n", ""},
		{"blank lines", "version: 1\nflows: \"" + strings.Repeat("\n", 900_000) + "\"\n", ""},
		{"tags", "version: 1\nflows: [" + strings.Repeat("!a b,", 90_000) + "]\n", ""},
	} {
		_, problems := ParseFile(diag.NewSource("f", test.text), FileOptions{})
		found := test.what == ""
		for _, d := range problems {
			found = found || d.What == test.what
		}
		if !found {
			t.Errorf("%s: %q is not among %d problems, %.200v", test.name, test.what, len(problems), problems)
		}
	}
}

func FuzzParseFile(f *testing.F) {
	for _, pattern := range []string{"testdata/ok/*.yaml", "testdata/err/*.yaml"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(text))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		file, problems := ParseFile(diag.NewSource("f", text), FileOptions{Getenv: environment, Reserved: words, MaxBytes: 16 << 10})
		diag.Style{}.RenderAll(problems)
		if file == nil && !problems.HasErrors() {
			t.Fatal("neither a file nor an error")
		}
		if file == nil {
			return
		}
		CheckRun([]*File{file}, nil)
		for _, flow := range file.Flows {
			for _, a := range flow.Expect {
				for i := range a.That.Text {
					if r := a.That.At(i, i+1); r.Start < 0 || r.End > len(text) || r.Start > r.End {
						t.Fatalf("byte %d of %q is at %d..%d", i, a.That.Text, r.Start, r.End)
					}
				}
			}
		}
	})
}
